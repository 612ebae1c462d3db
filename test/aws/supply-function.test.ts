import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSupply, type SupplyEvent } from '../../src/aws/lambda/supply/handler.ts';
import { indexOf, makeImage, type Content, type TestImage } from '../../src/local/registry/testing/image.ts';
import { RegistryServer } from '../../src/local/registry/testing/server.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { listen } from '../../src/platform/network.ts';

/* Real registries on both sides, which refuse what is not as its digest says. */

const REPOSITORY = 'storefront';
const TAG = 'in-use-collector-1-arm64';

describe('supply', () => {
  let outside: RegistryServer;
  let region: RegistryServer;
  let arm: TestImage;
  let index: Content;

  beforeAll(async () => {
    [outside, region] = await Promise.all([RegistryServer.start(), RegistryServer.start()]);
    const intel = await makeImage('intel');
    arm = await makeImage('arm', { layerBytes: Buffer.alloc(3_000_000, 'layer'), architecture: 'arm64' });
    await outside.push('tools/collector', intel);
    await outside.push('tools/collector', arm);
    index = withPlatforms([
      [intel.manifest, 'amd64'],
      [arm.manifest, 'arm64'],
    ]);
    await outside.putManifest('tools/collector', '1', index);
  });

  afterAll(() => Promise.all([outside.remove(), region.remove()]));

  test('copies the image of the right processor, whole, under the tag', async () => {
    const lines: string[] = [];
    await supplyTo(region, lines)(event(`${outside.host}/tools/collector:1`));

    const copied = await region.send('GET', `/v2/${REPOSITORY}/manifests/${TAG}`);
    expect(copied.body.equals(arm.manifest.bytes)).toBe(true);
    const layer = await region.send('GET', `/v2/${REPOSITORY}/blobs/${arm.layers[0]!.digest}`);
    expect(layer.body.equals(arm.layers[0]!.bytes)).toBe(true);
    expect(lines).toEqual([
      `${outside.host}/tools/collector:1 is ${REPOSITORY}:${TAG} now, ${arm.manifest.digest}`,
    ]);
  });

  test('leaves what is there as it is, and asks nothing outside', async () => {
    const lines: string[] = [];
    await supplyTo(region, lines)(event('127.0.0.1:1/gone/collector:1'));
    expect(lines).toEqual([`${REPOSITORY}:${TAG} is there already`]);
  });

  test('takes an image of one processor as it is, and gets a token where a registry wants one', async () => {
    const only = await makeImage('only');
    await outside.push('tools/only', only, '2');
    await using guarded = await tokenGuard(outside);
    await supplyTo(region, [])(event(`${guarded.host}/tools/only:2`, 'in-use-placeholder-2-arm64'));
    const copied = await region.send('GET', `/v2/${REPOSITORY}/manifests/in-use-placeholder-2-arm64`);
    expect(copied.body.equals(only.manifest.bytes)).toBe(true);
    expect(guarded.tokens).toBe(1);
  });

  test('says what failed where every attempt did', async () => {
    const lines: string[] = [];
    const missing = supplyTo(region, lines)(event(`${outside.host}/tools/nothing:1`, 'in-use-nothing'));
    await expect(missing).rejects.toMatchObject({
      code: 'IMAGE_COPY_FAILED',
      message: expect.stringContaining(`${outside.host}/v2/tools/nothing/manifests/1 answered 404`),
    });
    expect(lines).toHaveLength(5);
  });

  test('refuses an image that has none for the processor', async () => {
    await outside.putManifest('tools/collector', 'neither', withPlatforms([[arm.manifest, 's390x']]));
    const refused = supplyTo(region, [])(event(`${outside.host}/tools/collector:neither`, 'in-use-neither'));
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('Linux on arm64') });
  });
});

function withPlatforms(manifests: readonly (readonly [Content, string])[]): Content {
  const described = manifests.map(([{ mediaType, digest, bytes }, architecture]) => ({
    mediaType,
    digest,
    size: bytes.length,
    platform: { os: 'linux', architecture },
  }));
  return indexOf([], { manifests: described });
}

function event(source: string, tag = TAG): SupplyEvent {
  return { repository: REPOSITORY, architecture: 'arm64', images: [{ source, tag }] };
}

/** Whose waits between attempts are none. */
function supplyTo(registry: RegistryServer, lines: string[]) {
  return createSupply({
    signIn: () => Promise.resolve({ endpoint: registry.endpoint, authorization: 'Basic YTpi' }),
    sourceProtocol: 'http',
    clock: { ...systemClock, after: (_delayMs, callback) => systemClock.after(0, callback) },
    log: line => lines.push(line),
  });
}

/** In front of a registry: answers only who has a token, which it gives to anyone, as public registries do. */
async function tokenGuard(registry: RegistryServer) {
  const guard = { host: '', tokens: 0 };
  const server = createServer((request, response) => {
    if (request.url === '/token?service=here&scope=pull') {
      guard.tokens += 1;
      response.end(JSON.stringify({ token: 'given' }));
    } else if (request.headers.authorization === 'Bearer given') {
      response.writeHead(307, { location: `${registry.endpoint}${request.url}` });
      response.end();
    } else {
      const realm = `http://${guard.host}/token`;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="here",scope="pull"` });
      response.end();
    }
  });
  guard.host = `127.0.0.1:${await listen(server, { address: '127.0.0.1', port: 0 })}`;
  return Object.assign(guard, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  });
}
