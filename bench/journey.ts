/*
 * The whole journey on this machine, with the example: up, push to healthy in staging (cold: nothing cached; warm: a
 * second commit), approval to healthy in production, in both regions. Run: node bench/journey.ts
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { run, TANDEM } from '../test/end-to-end/test-cloud.ts';

const EXAMPLE = resolve(import.meta.dirname, '../examples/storefront');

interface TimedEvent {
  at: number;
  type: string;
  region: string;
  data: { service?: string };
}

const folder = await mkdtemp(join(tmpdir(), 'tandem-bench-'));
await cp(EXAMPLE, folder, { recursive: true });
await writeFile(join(folder, '.gitignore'), '.tandem/\nnode_modules/\n');
await command('git', 'init', '--quiet', '--initial-branch=main');
await commit('First');

try {
  const rows: [string, number][] = [];
  const timed = async (what: string, work: () => Promise<void>) => {
    const start = performance.now();
    await work();
    rows.push([what, performance.now() - start]);
  };
  await timed('up: both regions ready', () => tandem([0], 'up', '--detach', '--port-base', '0'));
  rows.push(['push to healthy in staging, cold', await until('staging', () => tandem([4], 'push'))]);
  rows.push([
    'approval to healthy in production, first',
    await until('production', () => tandem([0], 'approve')),
  ]);
  await writeFile(join(folder, 'note.txt'), 'second\n');
  await commit('Second');
  rows.push(['push to healthy in staging, warm', await until('staging', () => tandem([4], 'push'))]);
  rows.push([
    'approval to healthy in production, replacing',
    await until('production', () => tandem([0], 'approve')),
  ]);
  await timed('status', () => tandem([0], 'status', '--json'));
  await timed('down', () => tandem([0], 'down'));
  for (const [what, ms] of rows) console.log(`${what.padEnd(48)} ${(ms / 1000).toFixed(2).padStart(7)} s`);
} finally {
  await tandem([0], 'destroy', '--yes');
  await rm(folder, { recursive: true, force: true });
}

/** From the command's start until the last region's deployment of `service` was steady: its new tasks healthy. */
async function until(service: string, work: () => Promise<void>): Promise<number> {
  const start = Date.now();
  await work();
  const { stdout } = await run(process.execPath, [TANDEM, 'events', '--json', '--limit', '500'], folder);
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as TimedEvent);
  const steady = events.filter(
    event => event.type === 'DeploymentSteady' && event.data.service === service && event.at >= start,
  );
  if (new Set(steady.map(({ region }) => region)).size < 2)
    throw new Error(`${service} is not steady in both regions`);
  return Math.max(...steady.map(({ at }) => at)) - start;
}

async function tandem(expected: number[], ...argv: string[]): Promise<void> {
  const output = await run(process.execPath, [TANDEM, ...argv], folder);
  if (expected.includes(output.exitCode)) return;
  const log = await readFile(join(folder, '.tandem', 'supervisor.log'), 'utf8').catch(() => '');
  throw new Error(
    `tandem ${argv.join(' ')}: exit code ${output.exitCode}\n${output.stdout}${output.stderr}${log}`,
  );
}

async function commit(subject: string): Promise<void> {
  await command('git', 'add', '--all');
  await command('git', 'commit', '--quiet', '--message', subject);
}

async function command(program: string, ...argv: string[]): Promise<void> {
  const output = await run(program, argv, folder);
  if (output.exitCode !== 0) throw new Error(`${program} ${argv.join(' ')}: ${output.stderr}`);
}
