import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentOf } from './testing/image.ts';
import { codesOf, RegistryServer, type Answer } from './testing/server.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start({ limits: { blobBytes: 4_000_000 } });
});

afterEach(async () => {
  await server.remove();
});

describe('pushing a blob', () => {
  const blob = contentOf(randomBytes(300_000));

  it('whole, in one POST', async () => {
    const answer = await server.send('POST', `/v2/app/blobs/uploads/?digest=${blob.digest}`, {
      body: blob.bytes,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      location: `/v2/app/blobs/${blob.digest}`,
      'docker-content-digest': blob.digest,
    });
    await expectStored();
  });

  it('by POST, then PUT', async () => {
    const location = await begin();
    expect((await finish(location, blob.bytes)).status).toBe(201);
    await expectStored();
  });

  it('by POST, one PATCH of unknown length, then PUT', async () => {
    const location = await begin();
    const patched = await server.send('PATCH', location, {
      headers: { 'transfer-encoding': 'chunked', 'content-type': 'application/octet-stream' },
      body: blob.bytes,
    });
    expect(patched.status).toBe(202);
    expect(patched.headers['range']).toBe(`0-${blob.bytes.length - 1}`);
    expect((await finish(location)).status).toBe(201);
    await expectStored();
  });

  it('in chunks with Content-Range, the last of them with the PUT', async () => {
    const location = await begin();
    expect((await sendChunk(location, 0, 100_000)).headers['range']).toBe('0-99999');
    expect((await sendChunk(location, 100_000, 200_000)).headers['range']).toBe('0-199999');
    const last = await finish(location, blob.bytes.subarray(200_000), '200000-299999');
    expect(last.status).toBe(201);
    await expectStored();
  });

  it('of no bytes at all', async () => {
    const empty = contentOf('');
    expect((await finish(await begin(), undefined, undefined, empty.digest)).status).toBe(201);
    const answer = await server.send('GET', `/v2/app/blobs/${empty.digest}`);
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  it('under a sha512 digest', async () => {
    const digest = `sha512:${(await import('node:crypto')).hash('sha512', blob.bytes)}`;
    expect((await finish(await begin(), blob.bytes, undefined, digest)).status).toBe(201);
    expect((await server.send('GET', `/v2/app/blobs/${digest}`)).body.equals(blob.bytes)).toBe(true);
  });

  it('by many clients at once', async () => {
    const pushes = Array.from({ length: 8 }, async (_, index) => {
      const location = await begin(index % 2 === 0 ? 'app' : 'other');
      await sendChunk(location, 0, 150_000);
      return finish(location, blob.bytes.subarray(150_000));
    });
    for (const answer of await Promise.all(pushes)) expect(answer.status).toBe(201);
    await expectStored();
    expect(await readdir(join(server.context.folder, 'blobs', 'sha256'))).toHaveLength(1);
    expect(await readdir(join(server.context.folder, 'uploads'))).toEqual([]);
  });

  it('by mounting it from another repository', async () => {
    await server.pushBlob('base', blob);
    const answer = await server.send('POST', `/v2/app/blobs/uploads/?mount=${blob.digest}&from=base`);
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe(`/v2/app/blobs/${blob.digest}`);
    await expectStored();
  });

  it.each([
    ['the blob is unknown', `mount=sha256:${'0'.repeat(64)}&from=base`],
    ['no repository is named', `mount=${blob.digest}`],
    ['the named repository lacks it', `mount=${blob.digest}&from=elsewhere`],
    ['the named repository is no name', `mount=${blob.digest}&from=../base`],
  ])('starts an upload in place of a mount where %s', async (_name, query) => {
    await server.pushBlob('base', blob);
    const answer = await server.send('POST', `/v2/app/blobs/uploads/?${query}`);
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toMatch(/^\/v2\/app\/blobs\/uploads\/[0-9a-f-]{36}$/);
    expect((await server.send('HEAD', `/v2/app/blobs/${blob.digest}`)).status).toBe(404);
  });

  it('does not make it part of other repositories', async () => {
    await server.pushBlob('app', blob);
    expect((await server.send('GET', `/v2/other/blobs/${blob.digest}`)).status).toBe(404);
  });

  it('takes and ignores credentials', async () => {
    const headers = { authorization: `Basic ${Buffer.from('user:secret').toString('base64')}` };
    expect((await server.send('GET', '/v2/', { headers })).status).toBe(200);
    expect((await server.send('POST', '/v2/app/blobs/uploads/', { headers })).status).toBe(202);
  });

  async function expectStored(): Promise<void> {
    const answer = await server.send('GET', `/v2/app/blobs/${blob.digest}`);
    expect(answer.status).toBe(200);
    expect(answer.body.equals(blob.bytes)).toBe(true);
  }

  function sendChunk(location: string, from: number, to: number): Promise<Answer> {
    return server.send('PATCH', location, {
      headers: { 'content-range': `${from}-${to - 1}` },
      body: blob.bytes.subarray(from, to),
    });
  }

  function finish(location: string, body?: Buffer, range?: string, digest = blob.digest): Promise<Answer> {
    return server.send('PUT', `${location}?digest=${digest}`, {
      headers: range === undefined ? {} : { 'content-range': range },
      ...(body ? { body } : {}),
    });
  }
});

describe('an upload under way', () => {
  it('tells how far it is', async () => {
    const location = await begin();
    expect((await server.send('GET', location)).headers['range']).toBe('0-0');
    await server.send('PATCH', location, { body: 'twelve bytes' });
    const status = await server.send('GET', location);
    expect(status.status).toBe(204);
    expect(status.headers).toMatchObject({ range: '0-11', location });
    expect(status.headers['docker-upload-uuid']).toBe(location.split('/').at(-1));
  });

  it.each([
    ['ahead', '20-31'],
    ['again', '0-11'],
  ])('refuses a chunk %s of its turn, says where it is, and goes on', async (_name, range) => {
    const location = await begin();
    await server.send('PATCH', location, { body: 'twelve bytes', headers: { 'content-range': '0-11' } });
    const refused = await server.send('PATCH', location, {
      body: 'twelve bytes',
      headers: { 'content-range': range },
    });
    expect(refused.status).toBe(416);
    expect(refused.headers).toMatchObject({ range: '0-11', location });
    expect(codesOf(refused)).toEqual(['RANGE_INVALID']);
    const next = await server.send('PATCH', location, {
      body: ' more',
      headers: { 'content-range': '12-16' },
    });
    expect(next.headers['range']).toBe('0-16');
  });

  it('takes chunks of one upload one after the other, even when they arrive together', async () => {
    const location = await begin();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () =>
        server.send('PATCH', location, { body: 'same chunk', headers: { 'content-range': '0-9' } }),
      ),
    );
    expect(answers.map(answer => answer.status).sort((left, right) => left - right)).toEqual([
      202, 416, 416, 416, 416, 416,
    ]);
    const digest = contentOf('same chunk').digest;
    expect((await server.send('PUT', `${location}?digest=${digest}`)).status).toBe(201);
  });

  it('goes on after its client broke off in the middle of a chunk', async () => {
    const blob = contentOf(randomBytes(500_000));
    const location = await begin();
    await breakOff(location, blob.bytes.subarray(0, 200_000), 500_000);
    const status = await server.send('GET', location);
    const here = Number(/^0-(\d+)$/.exec(String(status.headers['range']))?.[1]) + 1;
    expect(here).toBeLessThanOrEqual(200_000);
    const rest = await server.send('PATCH', location, {
      headers: { 'content-range': `${here}-499999` },
      body: blob.bytes.subarray(here),
    });
    expect(rest.status).toBe(202);
    expect((await server.send('PUT', `${location}?digest=${blob.digest}`)).status).toBe(201);
  });

  it('is gone once cancelled', async () => {
    const location = await begin();
    await server.send('PATCH', location, { body: 'some' });
    expect((await server.send('DELETE', location)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await server.send(method, location);
      expect([answer.status, ...codesOf(answer)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    expect(await readdir(join(server.context.folder, 'uploads'))).toEqual([]);
  });

  it('can be cancelled while a client is sending, who is then cut off', async () => {
    const location = await begin();
    const sending = httpRequest(`${server.endpoint}${location}`, {
      method: 'PATCH',
      agent: false,
      headers: { 'content-length': 1000 },
    });
    const cutOff = new Promise(resolve => sending.on('error', resolve));
    await new Promise(resolve => sending.write('half', resolve));
    await untilRange(location, '0-3');
    expect((await server.send('DELETE', location)).status).toBe(204);
    await cutOff;
  });

  it('cuts off a client that falls silent, and keeps what it sent', async () => {
    await server.remove();
    server = await RegistryServer.start({ limits: { idleMs: 100 } });
    const location = await begin();
    const sending = httpRequest(`${server.endpoint}${location}`, {
      method: 'PATCH',
      agent: false,
      headers: { 'content-length': 1000 },
    });
    const cutOff = new Promise(resolve => sending.on('error', resolve));
    sending.write('half');
    await cutOff;
    expect((await server.send('GET', location)).headers['range']).toBe('0-3');
  });

  it('belongs to its repository alone', async () => {
    const location = await begin('app');
    const elsewhere = await server.send('GET', location.replace('/app/', '/other/'));
    expect(codesOf(elsewhere)).toEqual(['BLOB_UPLOAD_UNKNOWN']);
  });
});

describe('a push that cannot be', () => {
  const blob = contentOf('something');

  it.each<[string, string, () => Promise<Answer>]>([
    ['a PUT without digest', 'DIGEST_INVALID', async () => server.send('PUT', await begin(), { body: 'x' })],
    [
      'a digest of no known kind',
      'DIGEST_INVALID',
      async () => server.send('PUT', `${await begin()}?digest=md5:abc`),
    ],
    [
      'a digest that leads elsewhere',
      'DIGEST_INVALID',
      async () => server.send('PUT', `${await begin()}?digest=sha256:../../../etc/passwd`),
    ],
    [
      'a POST whose content differs from its digest',
      'DIGEST_INVALID',
      () => server.send('POST', `/v2/app/blobs/uploads/?digest=${blob.digest}`, { body: 'another' }),
    ],
    [
      'a Content-Range of no sense',
      'BLOB_UPLOAD_INVALID',
      async () => server.send('PATCH', await begin(), { headers: { 'content-range': '9-1' }, body: 'x' }),
    ],
    [
      'a Content-Range that is not the length',
      'BLOB_UPLOAD_INVALID',
      async () => server.send('PATCH', await begin(), { headers: { 'content-range': '0-9' }, body: 'x' }),
    ],
    [
      'an upload nobody began',
      'BLOB_UPLOAD_UNKNOWN',
      () => server.send('PATCH', '/v2/app/blobs/uploads/none', { body: 'x' }),
    ],
    [
      'an upload id that is a path',
      'BLOB_UPLOAD_UNKNOWN',
      () => server.send('PATCH', '/v2/app/blobs/uploads/..%2f..%2fregion.db', { body: 'x' }),
    ],
    ['a name in capitals', 'NAME_INVALID', () => server.send('POST', '/v2/App/blobs/uploads/')],
    ['a name that climbs', 'NAME_INVALID', () => server.send('POST', '/v2/../secret/blobs/uploads/')],
    [
      'a name that climbs in disguise',
      'NAME_INVALID',
      () => server.send('POST', '/v2/%2e%2e/x/blobs/uploads/'),
    ],
    [
      'a name that is too long',
      'NAME_INVALID',
      () => server.send('POST', `/v2/${'a'.repeat(256)}/blobs/uploads/`),
    ],
    ['broken encoding', 'NAME_INVALID', () => server.send('POST', '/v2/%zz/blobs/uploads/')],
    [
      'a method that is not there',
      'UNSUPPORTED',
      () => server.send('PUT', '/v2/app/tags/list', { body: 'x' }),
    ],
    ['a path that is not there', 'UNKNOWN_ENDPOINT', () => server.send('GET', '/v2/app/something')],
  ])('says so: %s', async (_name, code, request) => {
    const answer = await request();
    expect(answer.headers['content-type']).toBe('application/json');
    expect(codesOf(answer)).toEqual([code]);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  it('leaves nothing of content that is not what was announced', async () => {
    const location = await begin();
    await server.send('PATCH', location, { body: 'another' });
    const answer = await server.send('PUT', `${location}?digest=${blob.digest}`);
    expect(codesOf(answer)).toEqual(['DIGEST_INVALID']);
    expect((await server.send('HEAD', `/v2/app/blobs/${blob.digest}`)).status).toBe(404);
    expect((await server.send('GET', location)).status).toBe(404);
    expect(await readdir(join(server.context.folder, 'uploads'))).toEqual([]);
  });

  it('refuses a blob beyond the limit, told or untold, and keeps the connection answering', async () => {
    const body = Buffer.alloc(4_000_001);
    const told = await server.send('PATCH', await begin(), { body });
    expect([told.status, ...codesOf(told)]).toEqual([413, 'SIZE_INVALID']);
    const untold = await server.send('PATCH', await begin(), {
      body,
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect([untold.status, ...codesOf(untold)]).toEqual([413, 'SIZE_INVALID']);
  });

  it('serves nothing outside /v2/', async () => {
    for (const path of ['/', '/v2x', '/v20/', '/api/v2/'])
      expect((await server.send('GET', path)).status).toBe(418);
  });
});

async function begin(repository = 'app'): Promise<string> {
  const answer = await server.send('POST', `/v2/${repository}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  return String(answer.headers['location']);
}

/** Sends some of a body that was announced as longer, and drops the connection. */
async function breakOff(location: string, part: Buffer, announced: number): Promise<void> {
  const request = httpRequest(`${server.endpoint}${location}`, {
    method: 'PATCH',
    agent: false,
    headers: { 'content-length': announced, 'content-range': `0-${announced - 1}` },
  });
  const gone = new Promise(resolve => request.on('close', resolve));
  request.on('error', () => undefined);
  await new Promise(resolve => request.write(part, resolve));
  await untilRange(location, /^0-\d{2,}$/);
  request.destroy();
  await gone;
}

async function untilRange(location: string, wanted: string | RegExp): Promise<void> {
  await expect
    .poll(async () => (await server.send('GET', location)).headers['range'], { interval: 5 })
    .toMatch(wanted);
}
