import { once } from 'node:events';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { AwsSession } from '../../src/aws/operate/aws-session.ts';
import { createAwsCloud } from '../../src/aws/operate/cloud/aws-cloud.ts';
import { operatedPlaces } from '../../src/aws/terraform/observed-places.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/duration.ts';
import { formatInstant, type Instant } from '../../src/core/instant.ts';
import type { LogQuery } from '../../src/model/cloud.ts';
import type { LogEvent } from '../../src/model/event.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import { systemClock, type Clock } from '../../src/platform/clock.ts';
import { findProgram } from '../../src/platform/process.ts';
import { runCli } from '../../src/cli/testing/command-run.ts';
import { run, TANDEM, testEnvironment } from '../end-to-end/test-cloud.ts';
import { bytesOf } from './aws-json.ts';
import { startMoto, type Moto } from './moto.ts';

/* The log of the requests at the load balancers: files that are put where a load balancer stores them, in moto's S3. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of access logs are skipped: there is no moto_server on PATH.');

const ACCOUNT_ID = '123456789012';
const REGION = 'us-east-1';
const BUCKET = `shop-access-logs-${ACCOUNT_ID}-${REGION}`;
const settings = { application: 'shop', regions: [REGION], aws: { accountId: ACCOUNT_ID } };
const config = configSchema.parse(settings);

/** What is stored now has been stored for a while; a wait is a hundredth of what it is. */
const laterClock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + MINUTE_MS,
  after: (delayMs, callback, options) => systemClock.after(delayMs / 100, callback, options),
};

describe.skipIf(isMissing)('the access log', { timeout: 60_000 }, () => {
  const earlier = { ...process.env };
  let moto: Moto;
  let front: Front;
  let s3: S3Client;
  let folder: string;
  /** The newest five minutes that are over. */
  let end: Instant;

  beforeAll(async () => {
    moto = await startMoto();
    front = await standInFront(moto.endpoint);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: front.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
    });
    s3 = new S3Client({ region: REGION });
    folder = await mkdtemp(join(tmpdir(), 'tandem-access-log-'));
    await writeFile(join(folder, 'tandem.config.ts'), `export default ${JSON.stringify(settings)};\n`);
    end = Math.floor(Date.now() / (5 * MINUTE_MS)) * 5 * MINUTE_MS;
  }, 60_000);
  afterEach(() => {
    front.refuses = () => false;
    front.cutAt = Infinity;
  });
  afterAll(async () => {
    process.env = earlier;
    await front[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const logs = (
    query: LogQuery,
    { signal, of = config }: { signal?: AbortSignal; of?: typeof config } = {},
  ) =>
    createAwsCloud(new AwsSession(REGION), [operatedPlaces(of, REGION)], laterClock)
      .region(REGION)
      .logs({ group: 'balancer', ...query }, signal);
  const read = (query: LogQuery) => linesOf(logs(query));
  const paths = (lines: readonly LogEvent[]) =>
    lines.map(({ message }) => /\/\/shop:80(\S+)/.exec(message)?.[1] ?? message);

  async function store(endsAt: Instant, body: Buffer | string[], of: Partial<Place> = {}): Promise<string> {
    const { environment = 'production', node = '203.0.113.7' } = of;
    const date = formatInstant(endsAt).slice(0, 10).replaceAll('-', '/');
    const minute = formatInstant(endsAt).replaceAll(/[-:]/g, '').slice(0, 13);
    const Key =
      `${environment}/AWSLogs/${ACCOUNT_ID}/elasticloadbalancing/${REGION}/${date}/${ACCOUNT_ID}_elasticloadbalancing_` +
      `${REGION}_app.shop-${environment}.50dc6c495c0c9188_${minute}Z_${node}_${(stored += 1)}.log.gz`;
    const Body = Buffer.isBuffer(body) ? body : gzipSync(`${body.join('\n')}\n`);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    return Key;
  }

  test('that is switched off, or not made yet, says how it comes to be', async () => {
    const off = configSchema.parse({ ...settings, logs: { accessLogs: false } });
    await expect(linesOf(logs({}, { of: off }))).rejects.toMatchObject({
      code: 'ACCESS_LOGS_OFF',
      message: expect.stringContaining('set `logs.accessLogs` to true'),
    });
    await expect(read({})).rejects.toMatchObject({
      code: 'ACCESS_LOGS_MISSING',
      message: expect.stringContaining(`${REGION} has no bucket ${BUCKET}`),
    });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    expect(await read({})).toEqual([]);
  });

  test('is looked for where Terraform has load balancers store it', () => {
    const balancers = synthesize(config, { protect: true, state: 'local' }).flatMap(({ document }) =>
      Object.values(
        (document as { resource?: { aws_lb?: Record<string, { access_logs: object }> } }).resource?.aws_lb ??
          {},
      ),
    );
    expect(balancers.map(({ access_logs }) => access_logs)).toEqual(
      ['staging', 'production'].map(prefix => ({ bucket: BUCKET, prefix, enabled: true })),
    );
    expect(operatedPlaces(config, REGION).accessLogs).toMatchObject({
      bucket: BUCKET,
      accountId: ACCOUNT_ID,
    });
  });

  test('comes in the order of time, whichever node wrote it, and is found by environment, text and time', async () => {
    const before = end - 5 * MINUTE_MS;
    await store(end, [lineAt(end - 30_000, '/c'), lineAt(end - 10_000, '/e')]);
    await store(end, [lineAt(end - 20_000, '/d')], { node: '203.0.113.8', environment: 'staging' });
    await store(before, [lineAt(before - 2_000, '/a', '500 500'), lineAt(before - 1_000, '/b')]);
    await store(end - 2 * DAY_MS, [lineAt(end - 2 * DAY_MS - 1_000, '/old')]);
    const all = await read({});
    expect(paths(all)).toEqual(['/a', '/b', '/c', '/d', '/e']);
    expect(all.map(({ stream }) => stream)).toEqual([
      'production',
      'production',
      'production',
      'staging',
      'production',
    ]);
    expect(all.map(({ sequence }) => sequence)).toEqual(
      [...new Set(all.map(({ sequence }) => sequence))].toSorted((one, other) => one - other),
    );
    expect(paths(await read({ limit: 3 }))).toEqual(['/c', '/d', '/e']);
    expect(paths(await read({ stream: 'stag' }))).toEqual(['/d']);
    expect(paths(await read({ contains: '" 500 IN' }))).toEqual(['/a']);
    expect(paths(await read({ since: before - 1_000 }))).toEqual(['/b', '/c', '/d', '/e']);
    expect(paths(await read({ since: end - 3 * DAY_MS }))).toEqual(['/old', '/a', '/b', '/c', '/d', '/e']);
  });

  test('is no part of what is shown without a name', async () => {
    expect(await linesOf(logs({ group: 'production' }))).toEqual([]);
  });

  test('tells of a damaged file in its place, and shows a line that it cannot read as it is', async () => {
    const whole = gzipSync(`${lineAt(end - HOUR_MS - 1_000, '/cut')}\n`.repeat(1_000));
    const cut = await store(end - HOUR_MS, whole.subarray(0, whole.length - 9));
    const none = await store(end - HOUR_MS, Buffer.from('no gzip'));
    await store(end - HOUR_MS, ['not a line of "any kind', 'x'.repeat(200_000)]);
    const found = await read({ contains: 'of "any kind' });
    const messages = found.map(({ message }) => message);
    expect(messages).toHaveLength(3);
    expect(messages).toContain('not a line of "any kind');
    for (const key of [cut, none]) {
      expect(messages.join('\n')).toMatch(new RegExp(`lines are missing here.*s3://${BUCKET}/${key} - `));
      await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    }
    const [long] = await read({ contains: 'xxxx' }).then(lines =>
      lines.filter(({ message }) => message[0] === 'x'),
    );
    expect(long!.message).toHaveLength(131_072);
  });

  test('has the newest lines of five minutes with more files than there are connections', async () => {
    const endsAt = end - 2 * HOUR_MS;
    for (let node = 0; node < 60; node += 1) {
      const lines = Array.from({ length: 2_000 }, (_, index) =>
        lineAt(endsAt - MINUTE_MS + index * 20 + (node % 20), `/many/${index}/${node}`),
      );
      await store(endsAt, lines, { node: `203.0.113.${node}`, environment: 'staging' });
    }
    const found = await read({ contains: '/many/', limit: 60 });
    expect(new Set(paths(found))).toEqual(
      new Set(Array.from({ length: 60 }, (_, node) => `/many/1999/${node}`)),
    );
  });

  test('is followed through a cut in the middle of a file, with no line lost or doubled', async () => {
    const seen: LogEvent[] = [];
    const lines = Array.from({ length: 4_000 }, (_, index) =>
      lineAt(end - HOUR_MS + index, `/follow/${index}/${Math.sin(index)}`),
    );
    await store(end, [lineAt(end - 1_000, '/follow/first')]);
    await nextSecond();
    const stop = new AbortController();
    let cuts = 0;
    while (!stop.signal.aborted) {
      const last = seen.at(-1)?.sequence;
      const query = { contains: '/follow/', follow: true, ...(last !== undefined && { after: last }) };
      try {
        for await (const line of logs(query, { signal: stop.signal })) {
          seen.push(line);
          if (line.message.includes('/follow/first')) {
            // Late ones, of earlier times.
            await store(end - 30 * MINUTE_MS, lines.slice(0, 2_000), { node: '203.0.113.8' });
            await store(end - 30 * MINUTE_MS, lines.slice(2_000), { node: '203.0.113.9' });
            front.cutAt = 30_000;
          }
          if (seen.length === 1 + lines.length) stop.abort();
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'REGION_UNREACHABLE' });
        cuts += 1;
        front.cutAt = Infinity;
      }
    }
    expect(cuts).toBe(1);
    expect(paths(seen)).toEqual(['/follow/first', ...lines.map(line => /\/\/shop:80(\S+)/.exec(line)![1])]);
    const sequences = seen.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].toSorted((one, other) => one - other));
    expect(Number.isSafeInteger(sequences.at(-1))).toBe(true);
  });

  test('names the permission that is missing', async () => {
    front.refuses = url => url.includes('list-type=2');
    await expect(read({})).rejects.toMatchObject({
      code: 'AWS_CALL_FAILED',
      message: expect.stringContaining('s3:ListBucket failed: AccessDenied'),
    });
    front.refuses = url => url.includes('.log.gz');
    await expect(read({})).rejects.toMatchObject({
      message: expect.stringContaining('s3:GetObject failed: AccessDenied'),
    });
  });

  test('is shown by the command', async () => {
    const argv = ['logs', 'balancer', '--grep', '/d', '--stream', 'staging', '--target', 'aws'];
    const shown = await run(process.execPath, [TANDEM, ...argv], folder, {
      ...testEnvironment(),
      AWS_ENDPOINT_URL: front.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
    });
    expect(shown).toMatchObject({
      exitCode: 0,
      stdout:
        `${formatInstant(end - 20_000)} us-east-1 balancer/staging 198.51.100.1 "GET http://shop:80/d HTTP/1.1" 200 ` +
        'in 13 ms by 10.1.0.10:8080, 366 bytes, "curl/8.5.0", Root=1-a\n',
    });
  });

  test('is followed by the command, which says how late it is', async () => {
    let interrupt: () => void = () => undefined;
    const { exitCode, stderr } = await runCli(['logs', 'balancer', '-f', '--target', 'aws'], {
      aws: createAwsOperations(),
      workingFolder: folder,
      onInterrupt: listener => {
        interrupt = listener;
        return () => undefined;
      },
      onWrite: text => {
        if (text.includes('five minutes')) setImmediate(() => interrupt());
      },
    });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('lines come so late, or a little more'),
    });
  });

  async function nextSecond(): Promise<void> {
    const second = Math.floor(Date.now() / SECOND_MS);
    while (Math.floor(Date.now() / SECOND_MS) === second)
      await new Promise(resolve => setTimeout(resolve, 50));
  }
});

async function linesOf(log: AsyncIterable<LogEvent>): Promise<LogEvent[]> {
  const lines: LogEvent[] = [];
  for await (const line of log) lines.push(line);
  return lines;
}

let stored = 0;

interface Place {
  environment: string;
  node: string;
}

function lineAt(at: Instant, path: string, statuses = '200 200'): string {
  return (
    `http ${formatInstant(at).replace('Z', '000Z')} app/shop-production/50dc6c495c0c9188 198.51.100.1:2817 10.1.0.10:8080 ` +
    `0.000 0.012 0.001 ${statuses} 34 366 "GET http://shop:80${path} HTTP/1.1" "curl/8.5.0" - - arn:aws:x "Root=1-a" "-" "-" ` +
    `1 ${formatInstant(at)} "forward" "-" "-" "10.1.0.10:8080" "200" "-" "-" TID_1`
  );
}

interface Front extends AsyncDisposable {
  endpoint: string;
  refuses: (url: string) => boolean;
  /** After so many bytes an answer ends with its connection. */
  cutAt: number;
}

/** Between the SDK and moto. */
async function standInFront(endpoint: string): Promise<Front> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const { method, headers, url = '/' } = incoming;
      if (front.refuses(url)) {
        outgoing.writeHead(403, { 'content-type': 'application/xml' });
        outgoing.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
        return;
      }
      const forwarded = incoming.pipe(request(new URL(url, endpoint), { method, headers }));
      const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
      const body = await bytesOf(response);
      outgoing.writeHead(response.statusCode!, response.headers);
      const isCut = url.includes('.log.gz') && body.length > front.cutAt;
      if (isCut) outgoing.write(body.subarray(0, front.cutAt), () => outgoing.destroy());
      else outgoing.end(body);
    })().catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: Front = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuses: () => false,
    cutAt: Infinity,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  return front;
}
