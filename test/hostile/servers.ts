import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { RegistryServer } from '../../src/local/registry/testing/server.ts';
import { TestRegions } from '../../src/local/repository/testing/regions.ts';
import { FLUSH_PACKET } from '../../src/wire/git/pkt-line.ts';
import { encodePushCommands } from '../../src/wire/git/push-request.ts';
import { MEBIBYTE, type Attack } from './attack.ts';

/** No object in it (gitformat-pack): what is pushed is there already. */
const EMPTY_PACK = Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex');
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export const SERVERS: readonly Attack[] = [
  {
    title: 'a manifest of 1 GB, pushed',
    run: size => askRegistry('PUT', 'manifests/latest', () => repeat(Buffer.alloc(MEBIBYTE), size)),
    says: '413',
  },
  {
    title: 'a digest of 15 KB',
    run: () => askRegistry('GET', `blobs/sha256:${'0'.repeat(15_000)}`),
    says: 'DIGEST_INVALID',
  },
  {
    title: 'a Git request that unpacks to 2 GiB',
    run: size =>
      askGit(() => repeat(gzipSync(Buffer.alloc(2 * MEBIBYTE)), size), { 'content-encoding': 'gzip' }),
    says: '500',
  },
  {
    title: 'a push of 200,000 refs',
    run: size => askGit(commit => branches(200 * size, commit)),
    says: 'more refs than one push may',
  },
];

async function askRegistry(method: string, path: string, body?: () => Readable): Promise<string> {
  const server = await RegistryServer.start();
  try {
    return await ask(`${server.endpoint}/v2/shop/${path}`, method, { 'content-type': MANIFEST }, body?.());
  } finally {
    await server.remove();
  }
}

/** Asks with what `write` makes of a commit that is there. */
async function askGit(
  write: (commit: string) => Readable,
  headers: OutgoingHttpHeaders = {},
): Promise<string> {
  const regions = await TestRegions.create({ names: ['us-east-1'] });
  try {
    const [region] = regions.regions;
    await region!.start();
    const clone = await regions.clone();
    const commit = await clone.commit('First');
    await clone.git('push', '--quiet', region!.gitUrl, 'main');
    const type = 'application/x-git-receive-pack-request';
    return await ask(
      `${region!.gitUrl}/git-receive-pack`,
      'POST',
      { 'content-type': type, ...headers },
      write(commit),
    );
  } finally {
    await regions.close();
  }
}

/** The status, and how the answer begins. */
async function ask(
  url: string,
  method: string,
  headers: OutgoingHttpHeaders,
  body: Readable = Readable.from([]),
): Promise<string> {
  const request = httpRequest(url, { method, headers, agent: false });
  try {
    body.pipe(request);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text = (text + String(chunk)).slice(0, 1_000);
    return `${response.statusCode} ${text}`;
  } finally {
    body.destroy();
    request.destroy();
  }
}

function repeat(chunk: Buffer, times: number): Readable {
  return Readable.from(Array.from({ length: times }, () => chunk));
}

function branches(count: number, commit: string): Readable {
  return Readable.from(
    (function* () {
      for (let number = 0; number < count; number += 1) {
        const command = { ref: `refs/heads/${'b'.repeat(100)}${number}`, before: undefined, after: commit };
        yield encodePushCommands([command], ['report-status', 'side-band-64k']).subarray(
          0,
          -FLUSH_PACKET.length,
        );
      }
      yield FLUSH_PACKET;
      yield EMPTY_PACK;
    })(),
  );
}
