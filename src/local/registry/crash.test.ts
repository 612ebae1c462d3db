import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../core/duration.ts';
import { sha256 } from '../../platform/hash.ts';
import { contentOf, type Content } from './testing/image.ts';
import { codesOf, movableClock, RegistryServer, sendTo } from './testing/server.ts';

let folder: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-registry-crash-'));
});

afterEach(async () => {
  await kill();
  await rm(folder, { recursive: true, force: true });
});

describe('a registry that was killed', () => {
  it('goes on with an upload from where it was', async () => {
    const blob = contentOf(randomBytes(2_000_000));
    const endpoint = await serve();
    const started = await sendTo(endpoint, '/v2/app/blobs/uploads/', 'POST');
    const location = String(started.headers['location']);
    await sendTo(endpoint, location, 'PATCH', { body: blob.bytes.subarray(0, 700_000) });
    await kill();

    await withServer(async server => {
      const status = await server.send('GET', location);
      expect(status.headers['range']).toBe('0-699999');
      const rest = await server.send('PATCH', location, {
        headers: { 'content-range': `700000-1999999` },
        body: blob.bytes.subarray(700_000),
      });
      expect(rest.status).toBe(202);
      expect((await server.send('PUT', `${location}?digest=${blob.digest}`)).status).toBe(201);
      expect((await server.send('GET', `/v2/app/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true);
    });
  });

  it('has only complete blobs, and every one that it acknowledged', async () => {
    for (let round = 0; round < 3; round += 1) {
      const endpoint = await serve();
      const acknowledged = await pushUntilKilled(endpoint, 10 + round);
      const blobsFolder = join(folder, 'us-east-1', 'service', 'blobs', 'sha256');
      for (const name of await readdir(blobsFolder))
        expect(sha256(await readFile(join(blobsFolder, name)))).toBe(name);
      await withServer(async server => {
        for (const { digest, bytes } of acknowledged) {
          expect((await server.send('GET', `/v2/app/blobs/${digest}`)).body.equals(bytes)).toBe(true);
        }
      });
    }
  });

  it('removes files that a crash left without a record', async () => {
    await withServer(() => Promise.resolve());
    const service = join(folder, 'us-east-1', 'service');
    const strays = [join(service, 'blobs', 'sha256', '0'.repeat(64)), join(service, 'uploads', 'stray')];
    for (const stray of strays) await writeFile(stray, 'half');
    await withServer(async () => {
      expect(await readdir(join(service, 'blobs', 'sha256'))).toEqual([]);
      expect(await readdir(join(service, 'uploads'))).toEqual([]);
    });
  });

  it.skipIf(process.platform === 'win32')(
    'says that its disk is full, and goes on once there is room',
    async () => {
      const blob = contentOf(randomBytes(3_000_000));
      const limited = await serve({ fileBytes: 1_000_000 });
      const location = String((await sendTo(limited, '/v2/app/blobs/uploads/', 'POST')).headers['location']);
      const full = await sendTo(limited, location, 'PATCH', { body: blob.bytes });
      expect([full.status, ...codesOf(full)]).toEqual([507, 'STORAGE_FULL']);
      expect(full.body.toString()).toContain('Free space');
      const small = contentOf('small');
      const fits = await sendTo(limited, `/v2/app/blobs/uploads/?digest=${small.digest}`, 'POST', {
        body: small.bytes,
      });
      expect(fits.status).toBe(201);
      await kill();

      await withServer(async server => {
        const status = await server.send('GET', location);
        const here = Number(/^0-(\d+)$/.exec(String(status.headers['range']))?.[1]) + 1;
        expect(here).toBeGreaterThan(500_000);
        await server.send('PATCH', location, { body: blob.bytes.subarray(here) });
        expect((await server.send('PUT', `${location}?digest=${blob.digest}`)).status).toBe(201);
      });
    },
  );
});

describe('an upload that nobody continues', () => {
  it('is removed after a day, at start and while running, and not before', async () => {
    const clock = movableClock();
    const uploads = join(folder, 'us-east-1', 'service', 'uploads');
    let server = await RegistryServer.start({ folder, clock });
    const location = String((await server.send('POST', '/v2/app/blobs/uploads/')).headers['location']);
    await server.send('PATCH', location, { body: 'some' });
    await server.stop();

    clock.advance(DAY_MS - HOUR_MS);
    server = await RegistryServer.start({ folder, clock });
    expect((await server.send('GET', location)).status).toBe(204);
    await server.send('PATCH', location, { body: ' more' });
    await server.stop();

    clock.advance(DAY_MS - HOUR_MS);
    server = await RegistryServer.start({ folder, clock });
    expect((await server.send('GET', location)).headers['range']).toBe('0-8');
    clock.advance(2 * HOUR_MS);
    clock.tick();
    await expect.poll(() => readdir(uploads)).toEqual([]);
    expect((await server.send('GET', location)).status).toBe(404);
    await server.stop();
  });
});

/** Four clients push one small blob after another until `count` are acknowledged; then the process is killed amid them. */
async function pushUntilKilled(endpoint: string, count: number): Promise<Content[]> {
  const acknowledged: Content[] = [];
  const enough = Promise.withResolvers<void>();
  const client = async () => {
    for (;;) {
      const blob = contentOf(randomBytes(200_000));
      const answer = await sendTo(endpoint, `/v2/app/blobs/uploads/?digest=${blob.digest}`, 'POST', {
        body: blob.bytes,
      });
      if (answer.status === 201) acknowledged.push(blob);
      if (acknowledged.length >= count) enough.resolve();
    }
  };
  const clients = Array.from({ length: 4 }, () => client().catch(() => undefined));
  await enough.promise;
  await kill();
  await Promise.all(clients);
  return acknowledged;
}

async function withServer(work: (server: RegistryServer) => Promise<void>): Promise<void> {
  const server = await RegistryServer.start({ folder });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

/** Starts a registry process and tells its endpoint; `fileBytes` limits how long its files may become. */
async function serve(options: { fileBytes?: number } = {}): Promise<string> {
  const command = [process.execPath, join(import.meta.dirname, 'testing', 'registry-process.ts'), folder];
  const [program, ...argv] =
    options.fileBytes === undefined
      ? command
      : ['sh', '-c', `ulimit -f ${Math.floor(options.fileBytes / 512)}; exec "$0" "$@"`, ...command];
  const child = spawn(program!, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error('the registry ended before it was up')));
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
  });
}

async function kill(): Promise<void> {
  const child = running;
  running = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
