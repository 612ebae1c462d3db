/* The example application with a local cloud of its own in a temporary folder, for the benchmarks that need all of it. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run, TANDEM, type StatusJson } from '../test/end-to-end/test-cloud.ts';

const EXAMPLE = resolve(import.meta.dirname, '../examples/storefront');

export interface TimedEvent {
  at: number;
  type: string;
  region: string;
  data: { service?: string };
}

export class ExampleCloud {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** One commit, and nothing running. */
  static async prepare(): Promise<ExampleCloud> {
    const cloud = new ExampleCloud(await mkdtemp(join(tmpdir(), 'tandem-bench-')));
    await cp(EXAMPLE, cloud.folder, { recursive: true });
    await writeFile(join(cloud.folder, '.gitignore'), '.tandem/\nnode_modules/\nreports/\n');
    await cloud.command('git', 'init', '--quiet', '--initial-branch=main');
    await cloud.commit('First');
    return cloud;
  }

  get dataDir(): string {
    return join(this.folder, '.tandem');
  }

  async up(): Promise<void> {
    await this.tandem([0], 'up', '--detach', '--port-base', '0');
  }

  /** Runs a command, which must end with one of the exit codes; resolves to its standard output. */
  async tandem(expected: readonly number[], ...argv: string[]): Promise<string> {
    const output = await run(process.execPath, [TANDEM, ...argv], this.folder);
    if (expected.includes(output.exitCode)) return output.stdout;
    const log = await readFile(join(this.dataDir, 'supervisor.log'), 'utf8').catch(() => '');
    throw new Error(
      `tandem ${argv.join(' ')}: exit code ${output.exitCode}\n${output.stdout}${output.stderr}${log}`,
    );
  }

  async commit(subject: string): Promise<void> {
    await writeFile(join(this.folder, 'note.txt'), `${subject}\n`);
    await this.command('git', 'add', '--all');
    await this.command('git', 'commit', '--quiet', '--message', subject);
  }

  async command(program: string, ...argv: string[]): Promise<void> {
    const output = await run(program, argv, this.folder);
    if (output.exitCode !== 0)
      throw new Error(`${program} ${argv.join(' ')}: ${output.stdout}${output.stderr}`);
  }

  async status(): Promise<StatusJson> {
    return JSON.parse(await this.tandem([0], 'status', '--json')) as StatusJson;
  }

  /** What happened since an instant, in the order of time. */
  async eventsSince(start: number): Promise<TimedEvent[]> {
    const lines = jsonLines<TimedEvent>(await this.tandem([0], 'events', '--json', '--limit', '500'));
    return lines.filter(({ at }) => at >= start);
  }

  async buildLogSince(start: number): Promise<string[]> {
    const output = await this.tandem([0], 'logs', 'build', '--json', '--limit', '2000');
    return jsonLines<{ at: number; message: string }>(output)
      .filter(({ at }) => at >= start)
      .map(({ message }) => message);
  }

  async dispose(): Promise<void> {
    await this.tandem([0], 'destroy', '--yes');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

function jsonLines<Value>(text: string): Value[] {
  return text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Value);
}
