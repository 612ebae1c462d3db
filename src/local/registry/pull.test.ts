import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentOf } from './testing/image.ts';
import { codesOf, RegistryServer } from './testing/server.ts';

const blob = contentOf(randomBytes(100_000));
const path = `/v2/app/blobs/${blob.digest}`;

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
  await server.pushBlob('app', blob);
});

afterEach(async () => {
  await server.remove();
});

describe('pulling a blob', () => {
  it('sends it whole, with what a client needs to check and resume it', async () => {
    const answer = await server.send('GET', path);
    expect(answer.status).toBe(200);
    expect(answer.body.equals(blob.bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '100000',
      'docker-content-digest': blob.digest,
      'docker-distribution-api-version': 'registry/2.0',
      etag: `"${blob.digest}"`,
      'accept-ranges': 'bytes',
    });
  });

  it('answers HEAD with the same headers and no body', async () => {
    const [head, get] = await Promise.all([server.send('HEAD', path), server.send('GET', path)]);
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
  });

  it.each([
    ['bytes=0-9', 0, 9],
    ['bytes=99990-', 99_990, 99_999],
    ['bytes=-5', 99_995, 99_999],
    ['bytes=500-999999', 500, 99_999],
  ])('sends the range %s', async (range, first, last) => {
    const answer = await server.send('GET', path, { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${first}-${last}/100000`);
    expect(answer.body.equals(blob.bytes.subarray(first, last + 1))).toBe(true);
  });

  it.each(['bytes=100000-', 'bytes=200000-300000', 'bytes=-0'])(
    'refuses the range %s beyond its end',
    async range => {
      const answer = await server.send('GET', path, { headers: { range } });
      expect(answer.status).toBe(416);
      expect(answer.headers['content-range']).toBe('bytes */100000');
      expect(codesOf(answer)).toEqual(['RANGE_INVALID']);
    },
  );

  it.each(['bytes=9-1', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=x'])('sends everything for %s', async range => {
    expect((await server.send('GET', path, { headers: { range } })).status).toBe(200);
  });

  it('sends a range only of the content that If-Range names', async () => {
    const range = 'bytes=0-9';
    const same = await server.send('GET', path, { headers: { range, 'if-range': `"${blob.digest}"` } });
    const other = await server.send('GET', path, { headers: { range, 'if-range': '"something else"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
  });

  it('answers 304 to a client that has it', async () => {
    const answer = await server.send('GET', path, { headers: { 'if-none-match': `"${blob.digest}"` } });
    expect(answer.status).toBe(304);
    expect(answer.body).toHaveLength(0);
  });

  it('takes a digest with its colon encoded', async () => {
    expect((await server.send('GET', path.replace(':', '%3A'))).status).toBe(200);
  });

  it('closes the file when its client leaves early', async () => {
    const large = contentOf(randomBytes(8_000_000));
    await server.pushBlob('app', large);
    for (let count = 0; count < 20; count += 1) {
      await new Promise<void>((resolve, reject) => {
        httpGet(`${server.endpoint}/v2/app/blobs/${large.digest}`, { agent: false }, answer => {
          answer.once('data', () => {
            answer.destroy();
            resolve();
          });
        }).on('error', reject);
      });
    }
    expect((await server.send('GET', `/v2/app/blobs/${large.digest}`)).body.equals(large.bytes)).toBe(true);
    const { readdir, readlink } = await import('node:fs/promises');
    const openBlobs = async () => {
      const files = await Promise.all(
        (await readdir('/proc/self/fd')).map(file => readlink(`/proc/self/fd/${file}`).catch(() => '')),
      );
      return files.filter(file => file.includes(large.digest.slice(7)));
    };
    if (process.platform === 'linux') await expect.poll(openBlobs).toEqual([]);
  });

  it('knows nothing of blobs that were never pushed, nor of what is no digest', async () => {
    const unknown = await server.send('GET', `/v2/app/blobs/sha256:${'0'.repeat(64)}`);
    expect([unknown.status, ...codesOf(unknown)]).toEqual([404, 'BLOB_UNKNOWN']);
    const malformed = await server.send('GET', '/v2/app/blobs/sha256:..%2f..%2fregion.db');
    expect([malformed.status, ...codesOf(malformed)]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('says that a blob is missing whose file was lost, so that a push mends it', async () => {
    await rm(String(await server.registry.blobPath(blob.digest)));
    expect((await server.send('HEAD', path)).status).toBe(404);
    expect(await server.registry.blobPath(blob.digest)).toBeUndefined();
    await server.pushBlob('app', blob);
    expect((await server.send('GET', path)).body.equals(blob.bytes)).toBe(true);
  });
});

describe('deleting a blob', () => {
  it('takes it from its repository, and from the disk with the last one', async () => {
    await server.pushBlob('other', blob);
    expect((await server.send('DELETE', path)).status).toBe(202);
    expect((await server.send('GET', path)).status).toBe(404);
    expect((await server.send('GET', `/v2/other/blobs/${blob.digest}`)).status).toBe(200);
    expect((await server.send('DELETE', `/v2/other/blobs/${blob.digest}`)).status).toBe(202);
    expect(await server.registry.blobPath(blob.digest)).toBeUndefined();
  });

  it('does not disturb a download under way', async () => {
    const large = contentOf(randomBytes(8_000_000));
    await server.pushBlob('app', large);
    const body = await new Promise<Buffer>((resolve, reject) => {
      httpGet(`${server.endpoint}/v2/app/blobs/${large.digest}`, { agent: false }, answer => {
        const chunks: Buffer[] = [];
        answer.once('data', () => {
          answer.pause();
          void server.send('DELETE', `/v2/app/blobs/${large.digest}`).then(() => answer.resume());
        });
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve(Buffer.concat(chunks)));
        answer.on('error', reject);
      });
    });
    expect(body.equals(large.bytes)).toBe(true);
  });

  it('knows nothing of a blob twice deleted', async () => {
    await server.send('DELETE', path);
    expect(codesOf(await server.send('DELETE', path))).toEqual(['BLOB_UNKNOWN']);
  });
});
