import { createHash, randomBytes, type Hash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { get, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, testEnvironment, TestCloud } from '../end-to-end/test-cloud.ts';
import { ChaosCloud, untilNothingIsMissing } from './chaos-cloud.ts';
import { victims } from './faults.ts';

const MEGABYTE = 1_048_576;
const LAYER_BYTES = 200 * MEGABYTE;
/** What a region may take more than before, whatever passes through it: pieces are held, never the whole. */
const LARGEST_GROWTH_MB = 150;

let tested: TestCloud;
let cloud: ChaosCloud;
let scratch: string;
let layer: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tandem-at-size-'));
  tested = await TestCloud.up();
  cloud = await ChaosCloud.of(tested);
}, 120_000);
afterAll(async () => {
  await tested.dispose();
  await rm(scratch, { recursive: true, force: true });
}, 120_000);

describe('git', { timeout: 300_000 }, () => {
  test('a file of 100 MB that does not compress comes to the other region and back whole', async () => {
    const bytes = randomBytes(100 * MEGABYTE);
    writeFileSync(join(tested.folder, 'large.bin'), bytes);
    const commit = await tested.commit('Large');
    await withoutGrowing(async () => {
      expect((await cloud.push('us-east-1', commit, 'refs/heads/large')).exitCode).toBe(0);
      await replicated('refs/heads/large', commit);
    });
    const clone = join(scratch, 'large');
    await git('clone', '--quiet', '--branch', 'large', await gitUrl('us-west-2'), clone);
    expect(readFileSync(join(clone, 'large.bin')).equals(bytes)).toBe(true);
    await tested.git('reset', '--quiet', '--hard', 'HEAD~1');
  });

  test('10,000 commits and 1,000 branches arrive in one push, and in the other region', async () => {
    const source = join(scratch, 'long');
    await git('init', '--quiet', '--bare', source);
    const history = join(scratch, 'history');
    writeFileSync(history, fastImport(10_000, 1_000));
    const imported = await run(
      '/bin/sh',
      ['-c', 'git -C "$0" fast-import --quiet <"$1"', source, history],
      scratch,
    );
    expect(imported.stderr + imported.exitCode).toBe('0');
    await git('-C', source, 'push', '--quiet', await gitUrl('us-east-1'), 'refs/heads/*:refs/heads/long/*');
    const tip = (await git('-C', source, 'rev-parse', 'b0')).trim();
    await replicated('refs/heads/long/b0', tip);
    const missing = await untilNothingIsMissing(120_000, async () => {
      const refs = await git('ls-remote', await gitUrl('us-west-2'), 'refs/heads/long/*');
      const count = refs.trim().split('\n').length;
      return count === 1_000 ? undefined : `${count} branches`;
    });
    expect(missing).toBeUndefined();
    const clone = join(scratch, 'long-clone');
    await git('clone', '--quiet', '--bare', '--branch', 'long/b0', await gitUrl('us-west-2'), clone);
    expect((await git('-C', clone, 'rev-list', '--count', 'long/b0')).trim()).toBe('10000');
  });

  test('20 clients push at once, to both regions, and every push is in both', async () => {
    const pushes = Array.from({ length: 20 }, async (_, index) => {
      const clone = join(scratch, `client-${index}`);
      await cp(tested.folder, clone, {
        recursive: true,
        filter: path => !path.startsWith(tested.dataDir),
      });
      await git('-C', clone, 'commit', '--quiet', '--allow-empty', '--message', `Of client ${index}`);
      const commit = (await git('-C', clone, 'rev-parse', 'HEAD')).trim();
      const url = await gitUrl(cloud.regions[index % 2]!);
      await git('-C', clone, 'push', '--quiet', url, `HEAD:refs/heads/client-${index}`);
      return { ref: `refs/heads/client-${index}`, commit };
    });
    for (const { ref, commit } of await Promise.all(pushes)) {
      for (const region of cloud.regions) await replicated(ref, commit, region);
    }
  });
});

describe('an image', { timeout: 300_000 }, () => {
  let digest: string;

  beforeAll(async () => {
    layer = join(scratch, 'layer');
    writeFileSync(layer, randomBytes(LAYER_BYTES));
    digest = `sha256:${await digestOf(createHash('sha256'), createReadStream(layer))}`;
  });

  test('a layer of 200 MB whose upload is broken off goes on from there', async () => {
    const { endpoint } = await cloud.region('us-east-1').status();
    await withoutGrowing(async () => {
      const begun = await fetch(`${endpoint}/v2/large/blobs/uploads/`, { method: 'POST' });
      const location = new URL(begun.headers.get('location')!, endpoint).href;
      await breakOff(location, LAYER_BYTES / 2);
      // What was on its way when the connection broke may still be arriving: then it is asked again, as clients do.
      await expect.poll(() => goOn(location), { timeout: 30_000 }).toBe(202);
      expect((await fetch(`${location}?digest=${digest}`, { method: 'PUT' })).status).toBe(201);
    });
  });

  test('20 clients pull it at once, and each gets every byte', async () => {
    const { endpoint } = await cloud.region('us-east-1').status();
    await withoutGrowing(async () => {
      const pulls = Array.from({ length: 20 }, () => pull(`${endpoint}/v2/large/blobs/${digest}`));
      expect(new Set(await Promise.all(pulls))).toEqual(new Set([digest]));
    });
  });
});

async function git(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run('git', argv, scratch, testEnvironment());
  if (exitCode !== 0) throw new Error(`git ${argv.join(' ')}: ${stderr}`);
  return stdout;
}

async function gitUrl(region: string): Promise<string> {
  return (await cloud.region(region).status()).gitUrl;
}

async function replicated(ref: string, commit: string, region = 'us-west-2'): Promise<void> {
  const missing = await untilNothingIsMissing(120_000, async () => {
    const found = await git('ls-remote', await gitUrl(region), ref);
    return found.startsWith(commit) ? undefined : `${ref} is ${found || 'not there'} in ${region}`;
  });
  expect(missing).toBeUndefined();
}

/** The first branch has all the commits, the others one more each. */
function fastImport(commits: number, branches: number): string {
  const commit = (branch: string, number: number, from = '') =>
    `commit refs/heads/${branch}\nmark :${number}\ncommitter Ann <ann@example.com> ${1_700_000_000 + number} +0000\n` +
    `data 1\nx\n${from}M 100644 inline file-${number % 100}\ndata ${String(number).length}\n${number}\n`;
  const trunk = Array.from({ length: commits }, (_, index) => commit('b0', index + 1));
  const others = Array.from({ length: branches - 1 }, (_, index) =>
    commit(`b${index + 1}`, commits + index + 1, `from :${commits - index}\n`),
  );
  return [...trunk, ...others].join('');
}

/** Memory of both region processes, watched while `work` goes on. */
async function withoutGrowing(work: () => Promise<void>): Promise<void> {
  const regions = victims(cloud).filter(({ kind, title }) => kind === 'region' && title.startsWith('tandem'));
  const before = regions.map(({ pid }) => memoryMb(pid));
  let largest = 0;
  const timer = setInterval(() => {
    const growth = regions.map(({ pid }, index) => memoryMb(pid) - before[index]!);
    largest = Math.max(largest, ...growth);
  }, 100);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  expect(largest).toBeLessThan(LARGEST_GROWTH_MB);
}

function memoryMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;
}

function breakOff(location: string, afterBytes: number): Promise<void> {
  return new Promise(resolve => {
    const outgoing = request(location, { method: 'PATCH' });
    outgoing.on('error', () => resolve());
    outgoing.on('close', () => resolve());
    const file = createReadStream(layer, { end: afterBytes - 1 });
    file.pipe(outgoing, { end: false });
    file.on('end', () => outgoing.destroy());
  });
}

/** Sends what is missing; 416 where that is not what comes next any more. */
async function goOn(location: string): Promise<number | undefined> {
  const status = await fetch(location);
  const here = Number(/-(\d+)$/.exec(status.headers.get('range')!)![1]) + 1;
  expect(here).toBeGreaterThan(MEGABYTE);
  expect(here).toBeLessThan(LAYER_BYTES);
  return new Promise(resolve => {
    const headers = { 'content-range': `${here}-${LAYER_BYTES - 1}` };
    const outgoing = request(location, { method: 'PATCH', headers }, response => {
      response.resume();
      resolve(response.statusCode);
    });
    // Refused before all of it was taken.
    outgoing.once('error', () => resolve(undefined));
    createReadStream(layer, { start: here }).pipe(outgoing);
  });
}

function pull(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, response => {
      digestOf(createHash('sha256'), response).then(hex => resolve(`sha256:${hex}`), reject);
    }).once('error', reject);
  });
}

async function digestOf(hash: Hash, bytes: IncomingMessage | ReturnType<typeof createReadStream>) {
  for await (const piece of bytes) hash.update(piece as Buffer);
  return hash.digest('hex');
}
