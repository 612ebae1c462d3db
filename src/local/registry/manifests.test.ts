import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../wire/oci/media-types.ts';
import { contentOf, descriptorOf, indexOf, makeImage, manifestOf, referrerOf } from './testing/image.ts';
import { codesOf, RegistryServer } from './testing/server.ts';

const COMMIT = 'a3f'.padEnd(40, '0');

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
});

afterEach(async () => {
  await server.remove();
});

describe('an image that was pushed', () => {
  it('is served by tag and by digest, byte for byte', async () => {
    const image = await makeImage('one');
    await server.push('app', image, 'latest');
    for (const reference of ['latest', image.manifest.digest]) {
      const answer = await server.send('GET', `/v2/app/manifests/${reference}`);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(image.manifest.bytes)).toBe(true);
      expect(answer.headers).toMatchObject({
        'content-type': OCI_MANIFEST,
        'content-length': String(image.manifest.bytes.length),
        'docker-content-digest': image.manifest.digest,
        etag: `"${image.manifest.digest}"`,
      });
      const head = await server.send('HEAD', `/v2/app/manifests/${reference}`);
      expect({ ...head.headers, date: '' }).toEqual({ ...answer.headers, date: '' });
      expect(head.body).toHaveLength(0);
    }
    const headers = { 'if-none-match': `"${image.manifest.digest}"` };
    expect((await server.send('GET', '/v2/app/manifests/latest', { headers })).status).toBe(304);
  });

  it('answers its push with where it is', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const answer = await server.putManifest('app', 'v1', image.manifest);
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      location: `/v2/app/manifests/${image.manifest.digest}`,
      'docker-content-digest': image.manifest.digest,
    });
  });

  it('is told to the rest of the region', async () => {
    const image = await makeImage('one');
    await server.push('app', image, COMMIT, 'latest');
    const { registry } = server;
    expect(registry.images('app')).toEqual([
      {
        digest: image.manifest.digest,
        tags: [COMMIT, 'latest'],
        pushedAt: expect.any(Number) as number,
        sizeBytes: image.manifest.bytes.length + image.config.bytes.length + image.layers[0]!.bytes.length,
      },
    ]);
    expect(await registry.manifest('app', 'latest')).toMatchObject({
      digest: image.manifest.digest,
      mediaType: OCI_MANIFEST,
    });
    expect(await registry.manifest('app', 'missing')).toBeUndefined();
    expect(await registry.manifest('elsewhere', image.manifest.digest)).toBeUndefined();
  });

  it('may be of Docker schema 2', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const docker = manifestOf(image.config, image.layers, { mediaType: DOCKER_MANIFEST });
    const manifest = { ...docker, mediaType: DOCKER_MANIFEST };
    expect((await server.putManifest('app', 'v1', manifest)).status).toBe(201);
    expect((await server.send('GET', '/v2/app/manifests/v1')).headers['content-type']).toBe(DOCKER_MANIFEST);
  });

  it('may be an index of images, or of indexes', async () => {
    const amd = await makeImage('amd', { architecture: 'amd64' });
    const arm = await makeImage('arm', { architecture: 'arm64' });
    await server.push('app', amd);
    await server.push('app', arm);
    const index = indexOf([amd.manifest, arm.manifest]);
    expect((await server.putManifest('app', 'multi', index)).status).toBe(201);
    const outer = indexOf([index]);
    expect((await server.putManifest('app', 'outer', outer)).status).toBe(201);
    const [found, ...more] = server.registry.images('app');
    expect(more).toEqual([]);
    const parts = [
      outer,
      index,
      amd.manifest,
      amd.config,
      ...amd.layers,
      arm.manifest,
      arm.config,
      ...arm.layers,
    ];
    expect(found?.sizeBytes).toBe(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  });

  it('may be an artifact, name foreign layers, have no layers, and hold fields that nobody knows', async () => {
    const config = contentOf('{}', 'application/vnd.oci.empty.v1+json');
    await server.pushBlob('app', config);
    const foreign = {
      ...contentOf('elsewhere', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'),
    };
    const manifests = [
      manifestOf(config, [], { artifactType: 'application/x-sbom' }),
      manifestOf(config, [foreign]),
      manifestOf(config, [], { 'org.example.unknown': { deep: [1] }, annotations: null }),
      indexOf([]),
    ];
    for (const manifest of manifests) {
      expect((await server.putManifest('app', manifest.digest, manifest)).status).toBe(201);
    }
  });

  it('may be almost 4 MiB of manifest, and no more', async () => {
    const { config, layers } = await makeImage('big');
    for (const blob of [config, ...layers]) await server.pushBlob('app', blob);
    const big = manifestOf(config, layers, { annotations: { big: 'x'.repeat(4 * 1024 ** 2 - 2000) } });
    expect((await server.putManifest('app', 'big', big)).status).toBe(201);
    const bigger = manifestOf(config, layers, { annotations: { big: 'x'.repeat(4 * 1024 ** 2) } });
    const told = await server.putManifest('app', 'bigger', bigger);
    const untold = await server.send('PUT', '/v2/app/manifests/bigger', {
      headers: { 'transfer-encoding': 'chunked', 'content-type': OCI_MANIFEST },
      body: bigger.bytes,
    });
    for (const answer of [told, untold])
      expect([answer.status, ...codesOf(answer)]).toEqual([413, 'SIZE_INVALID']);
  });
});

describe('a manifest is refused', () => {
  it('while anything it names is missing', async () => {
    const image = await makeImage('one');
    await server.pushBlob('app', image.config);
    await server.pushBlob('other', image.layers[0]!);
    const answer = await server.putManifest('app', 'v1', image.manifest);
    expect(codesOf(answer)).toEqual(['MANIFEST_BLOB_UNKNOWN']);
    expect(answer.body.toString()).toContain(image.layers[0]!.digest);
    const index = await server.putManifest('app', 'v1', indexOf([image.manifest]));
    expect(codesOf(index)).toEqual(['MANIFEST_BLOB_UNKNOWN']);
    expect((await server.send('GET', '/v2/app/manifests/v1')).status).toBe(404);
  });

  it('where its digest is another', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const other = `sha256:${'0'.repeat(64)}`;
    expect(codesOf(await server.putManifest('app', other, image.manifest))).toEqual(['DIGEST_INVALID']);
    expect(codesOf(await server.putManifest('app', 'md5:00', image.manifest))).toEqual(['DIGEST_INVALID']);
  });

  it('where its tag is none', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    for (const tag of ['.hidden', '-dash', 'a'.repeat(129), 'sp%20ace']) {
      expect(codesOf(await server.putManifest('app', tag, image.manifest))).toEqual(['TAG_INVALID']);
    }
  });

  it.each([
    ['no JSON', contentOf('{', OCI_MANIFEST)],
    ['no manifest', contentOf('[]', OCI_MANIFEST)],
    [
      'of schema 1',
      contentOf('{"schemaVersion":1}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
    ],
    ['sent as something else', { ...indexOf([]), mediaType: OCI_MANIFEST }],
    ['both manifest and index', contentOf('{"schemaVersion":2,"manifests":[],"layers":[]}', OCI_INDEX)],
    [
      'of digests that lead elsewhere',
      contentOf(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'a/b', digest: 'sha256:../../x', size: 1 },
          layers: [],
        }),
        OCI_MANIFEST,
      ),
    ],
  ])('where it is %s', async (_name, manifest) => {
    const answer = await server.putManifest('app', 'v1', manifest);
    expect([answer.status, ...codesOf(answer)]).toEqual([400, 'MANIFEST_INVALID']);
  });
});

describe('tags', () => {
  it('move, except those of commits', async () => {
    const [one, two] = [await makeImage('one'), await makeImage('two')];
    await server.push('app', one, 'latest', COMMIT, 'b'.repeat(64), 'abc1234');
    await server.push('app', two, 'latest', 'abc1234');
    for (const commit of [COMMIT, 'b'.repeat(64)]) {
      const refused = await server.putManifest('app', commit, two.manifest);
      expect([refused.status, ...codesOf(refused)]).toEqual([400, 'TAG_INVALID']);
      expect(refused.body.toString()).toContain('immutable');
      expect((await server.putManifest('app', commit, one.manifest)).status).toBe(201);
      expect((await server.registry.manifest('app', commit))?.digest).toBe(one.manifest.digest);
    }
    expect((await server.registry.manifest('app', 'latest'))?.digest).toBe(two.manifest.digest);
  });

  it('of one commit go to one image, whoever pushes at the same time', async () => {
    const images = await Promise.all(['a', 'b', 'c', 'd'].map(name => makeImage(name)));
    for (const image of images) await server.push('app', image);
    const answers = await Promise.all(images.map(image => server.putManifest('app', COMMIT, image.manifest)));
    expect(answers.map(answer => answer.status).sort((left, right) => left - right)).toEqual([
      201, 400, 400, 400,
    ]);
  });

  it('are deleted one by one; a manifest goes with all of its own', async () => {
    const image = await makeImage('one');
    await server.push('app', image, 'v1', 'v2', 'v3');
    expect((await server.send('DELETE', '/v2/app/manifests/v1')).status).toBe(202);
    expect((await server.send('GET', '/v2/app/manifests/v1')).status).toBe(404);
    expect((await server.send('GET', '/v2/app/manifests/v2')).status).toBe(200);
    expect((await server.send('DELETE', `/v2/app/manifests/${image.manifest.digest}`)).status).toBe(202);
    for (const reference of ['v2', 'v3', image.manifest.digest, 'v1']) {
      const answer = await server.send('DELETE', `/v2/app/manifests/${reference}`);
      expect([answer.status, ...codesOf(answer)]).toEqual([404, 'MANIFEST_UNKNOWN']);
    }
  });

  it('that could not exist are not found, as is a repository that never was', async () => {
    await server.push('app', await makeImage('one'));
    const invalid = await server.send('GET', '/v2/app/manifests/.INVALID_MANIFEST_NAME');
    expect([invalid.status, ...codesOf(invalid)]).toEqual([404, 'MANIFEST_UNKNOWN']);
    const nowhere = await server.send('GET', '/v2/nowhere/manifests/latest');
    expect([nowhere.status, ...codesOf(nowhere)]).toEqual([404, 'NAME_UNKNOWN']);
  });
});

describe('an image stays whole', () => {
  it('its blobs, and the children of an index, cannot be deleted before it', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const index = indexOf([image.manifest]);
    await server.putManifest('app', 'multi', index);
    const blob = await server.send('DELETE', `/v2/app/blobs/${image.layers[0]!.digest}`);
    const child = await server.send('DELETE', `/v2/app/manifests/${image.manifest.digest}`);
    for (const answer of [blob, child]) expect([answer.status, ...codesOf(answer)]).toEqual([405, 'DENIED']);
    for (const reference of [index.digest, image.manifest.digest]) {
      expect((await server.send('DELETE', `/v2/app/manifests/${reference}`)).status).toBe(202);
    }
    expect((await server.send('DELETE', `/v2/app/blobs/${image.layers[0]!.digest}`)).status).toBe(202);
  });
});

describe('referrers', () => {
  it('are listed under their subject, before and after it is there, and filtered by type', async () => {
    const image = await makeImage('one');
    const signature = referrerOf(image.manifest, 'application/x-signature', 'signed');
    const bill = referrerOf(image.manifest, 'application/x-sbom', 'parts');
    await server.push('app', signature);
    await server.push('app', image, 'v1');
    for (const blob of [bill.config, ...bill.layers]) await server.pushBlob('app', blob);
    const pushed = await server.putManifest('app', bill.manifest.digest, bill.manifest);
    expect(pushed.headers['oci-subject']).toBe(image.manifest.digest);

    const all = await server.send('GET', `/v2/app/referrers/${image.manifest.digest}`);
    expect([all.status, all.headers['content-type']]).toEqual([200, OCI_INDEX]);
    const listed = JSON.parse(all.body.toString()) as { manifests: Record<string, unknown>[] };
    expect(listed.manifests).toHaveLength(2);
    expect(listed).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX });
    expect(listed.manifests).toContainEqual({
      ...descriptorOf(signature.manifest),
      artifactType: 'application/x-signature',
      annotations: { 'org.example.text': 'signed' },
    });

    const path = `/v2/app/referrers/${image.manifest.digest}?artifactType=application%2Fx-sbom`;
    const filtered = await server.send('GET', path);
    expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
    expect(digestsOf(filtered.body)).toEqual([bill.manifest.digest]);

    // A signature is no image of its own.
    expect(server.registry.images('app').map(found => found.digest)).toEqual([image.manifest.digest]);
  });

  it('take their type from the config where they have none, and may be indexes', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const config = contentOf('config', 'application/x-type-of-config');
    await server.pushBlob('app', config);
    const subject = descriptorOf(image.manifest);
    const plain = manifestOf(config, [], { subject });
    const index = indexOf([], { subject, artifactType: 'application/x-index' });
    for (const manifest of [plain, index]) await server.putManifest('app', manifest.digest, manifest);
    const answer = await server.send('GET', `/v2/app/referrers/${image.manifest.digest}`);
    const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { artifactType: string }[] };
    expect(manifests.map(manifest => manifest.artifactType).sort()).toEqual([
      'application/x-index',
      'application/x-type-of-config',
    ]);
  });

  it('are an empty list for what nobody refers to, and no digest is an error', async () => {
    const none = await server.send('GET', `/v2/nowhere/referrers/sha256:${'0'.repeat(64)}`);
    expect([none.status, digestsOf(none.body)]).toEqual([200, []]);
    expect((await server.send('GET', '/v2/app/referrers/latest')).status).toBe(400);
  });

  it('come in pages where they are many', async () => {
    const image = await makeImage('one');
    await server.push('app', image);
    const config = contentOf('{}', 'application/vnd.oci.empty.v1+json');
    await server.pushBlob('app', config);
    const pushed = new Set<string>();
    for (let count = 0; count < 5; count += 1) {
      const annotations = { text: String(count).repeat(400_000) };
      const manifest = manifestOf(config, [], { annotations, subject: descriptorOf(image.manifest) });
      expect((await server.putManifest('app', manifest.digest, manifest)).status).toBe(201);
      pushed.add(manifest.digest);
    }
    let path: string | undefined = `/v2/app/referrers/${image.manifest.digest}`;
    const seen: string[] = [];
    let pages = 0;
    while (path !== undefined) {
      const answer = await server.send('GET', path);
      seen.push(...digestsOf(answer.body));
      pages += 1;
      path = /<([^>]+)>; rel="next"/.exec(String(answer.headers['link']))?.[1];
    }
    expect(pages).toBe(3);
    expect(seen).toHaveLength(5);
    expect(new Set(seen)).toEqual(pushed);
  });
});

function digestsOf(body: Buffer): string[] {
  return (JSON.parse(body.toString()) as { manifests: { digest: string }[] }).manifests.map(
    found => found.digest,
  );
}
