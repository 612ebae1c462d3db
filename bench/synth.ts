/*
 * From a configuration to a folder of Terraform: `tandem synth` as a whole command for one customer in two regions,
 * beside `cdk synth` of a load-balanced Fargate service in two regions, turn by turn in one run; then many customers in
 * one process. Run: npm run bench:synth -- [--rounds 5] [--customers 100] [--cdk <folder>]
 *
 * aws-cdk-lib and aws-cdk are installed with npm into a folder that is removed after, or taken from the one that
 * `--cdk` names. Their application is plain JavaScript, needs no look-up, and has fewer resources than Tandem's: whatever
 * differs is in their favour. `--customers 1000` takes a while, so it is only done when asked for.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL('../bin/tandem.js', import.meta.url));
const CDK_PROGRAM = fileURLToPath(new URL('./synth-cdk.cjs', import.meta.url));
/** A pair that fits together: a command line reads no assembly of a later library. */
const CDK_PACKAGES = ['aws-cdk-lib@2.275.0', 'aws-cdk@2.1148.1', 'constructs@10'];
const DEFAULT_ROUNDS = 5;
const DEFAULT_CUSTOMERS = 100;

interface Cost {
  /** From start to end of the command. */
  seconds: number;
  /** Processor time of the command and everything it started: what other work on the machine disturbs least. */
  processorSeconds: number;
}

interface Contestant {
  name: string;
  run(): Promise<Cost>;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    customers: { type: 'string', default: String(DEFAULT_CUSTOMERS) },
    cdk: { type: 'string' },
    fleet: { type: 'string' },
  },
});

if (values.fleet === undefined) await measure();
else await synthesizeFleet(values.fleet, Number(values.customers));

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-bench-synth-'));
  try {
    console.log(`load at the start: ${load()}`);
    const contestants = [
      await tandem(folder, 'tandem synth', {}),
      await tandem(folder, 'tandem synth, nothing compiled', { NODE_DISABLE_COMPILE_CACHE: '1' }),
      ...(await cdk(folder)),
    ];
    await compare(contestants, Number(values.rounds));
    console.log(`resources: tandem ${await tandemResources(folder)}, cdk ${await cdkResources(folder)}`);
    await measureFleet(folder, Number(values.customers));
    console.log(`load at the end: ${load()}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Best and median of each, in turn, after one round that does not count. */
async function compare(contestants: readonly Contestant[], rounds: number): Promise<void> {
  const costs = new Map<string, Cost[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      const cost = await contestant.run();
      if (round > 0) costs.get(contestant.name)!.push(cost);
    }
  }
  const [own] = costs.values();
  for (const [name, all] of costs) {
    const wall = summary(all.map(({ seconds }) => seconds));
    const processor = summary(all.map(({ processorSeconds }) => processorSeconds));
    const times = processor.best / summary(own!.map(({ processorSeconds }) => processorSeconds)).best;
    const wallTimes = wall.best / summary(own!.map(({ seconds }) => seconds)).best;
    console.log(
      `${name.padEnd(32)} best ${wall.best.toFixed(2)} s, median ${wall.median.toFixed(2)} s (${wallTimes.toFixed(1)}×)  ` +
        `processor best ${processor.best.toFixed(2)} s, median ${processor.median.toFixed(2)} s (${times.toFixed(1)}×)`,
    );
  }
}

async function tandem(
  folder: string,
  name: string,
  environment: Record<string, string>,
): Promise<Contestant> {
  const project = join(folder, 'tandem');
  await mkdir(project, { recursive: true });
  await writeFile(join(project, 'tandem.config.ts'), configFile('storefront'));
  return { name, run: () => timed(project, environment, process.execPath, [ENTRY, 'synth']) };
}

async function cdk(folder: string): Promise<Contestant[]> {
  const project = values.cdk ?? join(folder, 'cdk');
  if (!existsSync(join(project, 'node_modules', 'aws-cdk-lib'))) {
    await mkdir(project, { recursive: true });
    await writeFile(join(project, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--no-audit', '--no-fund', ...CDK_PACKAGES], { cwd: project });
  }
  await writeFile(join(project, 'app.cjs'), await readFile(CDK_PROGRAM));
  const output = join(folder, 'cdk.out');
  const quiet = { CDK_DISABLE_VERSION_CHECK: '1', CDK_DISABLE_CLI_TELEMETRY: 'true', CI: 'true' };
  const command = join(project, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const options = ['--quiet', '--no-notices', '--no-version-reporting', '--output', output];
  const app = `${process.execPath} app.cjs`;
  return [
    {
      name: 'cdk synth',
      run: () => timed(project, quiet, process.execPath, [command, 'synth', '--app', app, ...options]),
    },
    {
      name: 'the CDK application alone',
      run: () => timed(project, { CDK_OUTDIR: output }, process.execPath, ['app.cjs']),
    },
  ];
}

/** bash's `time` counts the processor time of children's children too. */
async function timed(
  cwd: string,
  environment: Record<string, string>,
  program: string,
  argv: readonly string[],
): Promise<Cost> {
  const { stderr } = await run(
    'bash',
    ['-c', 'TIMEFORMAT="%R %U %S"; time "$0" "$@" >/dev/null', program, ...argv],
    { cwd, env: { ...process.env, ...environment } },
  );
  const [seconds, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { seconds: seconds!, processorSeconds: user! + system! };
}

async function tandemResources(folder: string): Promise<number> {
  const root = join(folder, 'tandem', 'terraform');
  const modules = (await readdir(root, { withFileTypes: true })).filter(entry => entry.isDirectory());
  const documents = await Promise.all(
    modules.map(async ({ name }) => readFile(join(root, name, 'main.tf.json'), 'utf8')),
  );
  return documents
    .map(text => (JSON.parse(text) as { resource: Record<string, object> }).resource)
    .flatMap(resource => Object.values(resource).flatMap(Object.keys)).length;
}

async function cdkResources(folder: string): Promise<number> {
  const root = join(folder, 'cdk.out');
  const templates = (await readdir(root)).filter(name => name.endsWith('.template.json'));
  const documents = await Promise.all(templates.map(name => readFile(join(root, name), 'utf8')));
  return documents.flatMap(text => Object.keys((JSON.parse(text) as { Resources: object }).Resources)).length;
}

interface FleetCost {
  /** After each tenth of the customers. */
  secondsSoFar: number[];
  processorSeconds: number;
  largestMb: number;
}

async function measureFleet(folder: string, customers: number): Promise<void> {
  const { stdout } = await run(process.execPath, [
    import.meta.filename,
    '--fleet',
    join(folder, 'fleet'),
    '--customers',
    String(customers),
  ]);
  const { secondsSoFar, processorSeconds, largestMb } = JSON.parse(stdout) as FleetCost;
  const half = secondsSoFar[4]!;
  const all = secondsSoFar.at(-1)!;
  console.log(
    `${customers} customers in one process: ${all.toFixed(2)} s (processor ${processorSeconds.toFixed(2)} s), ` +
      `the second half ${((all - half) / half).toFixed(2)} times the first; at most ${largestMb.toFixed(0)} MB`,
  );
}

/** In a process of its own, with everything that `tandem synth` does for one: check, synthesise, write. */
async function synthesizeFleet(folder: string, customers: number): Promise<void> {
  const started = performance.now();
  const { validateConfig } = await import('../src/model/config/validate.ts');
  const { terraformFiles } = await import('../src/aws/terraform/files.ts');
  const { functionArchives } = await import('../src/function-archives.ts');
  const archives = await functionArchives();
  const secondsSoFar: number[] = [];
  for (let index = 0; index < customers; index += 1) {
    const { config, faults } = validateConfig({ application: 'shop', customer: `customer-${index}` });
    if (faults) throw new Error(JSON.stringify(faults));
    for (const { path, content } of terraformFiles(config, { state: 's3', protect: true }, archives)) {
      const target = join(folder, String(index), path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
    if ((index + 1) % Math.ceil(customers / 10) === 0 || index === customers - 1) {
      secondsSoFar.push((performance.now() - started) / 1000);
    }
  }
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cost: FleetCost = {
    secondsSoFar,
    processorSeconds: (userCPUTime + systemCPUTime) / 1e6,
    largestMb: maxRSS / 1024,
  };
  process.stdout.write(JSON.stringify(cost));
}

function configFile(application: string): string {
  return `import { defineConfig } from 'tandem';\n\nexport default defineConfig({ application: '${application}' });\n`;
}

function summary(values: readonly number[]): { best: number; median: number } {
  const sorted = values.toSorted((left, right) => left - right);
  return { best: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]! };
}

function load(): string {
  return loadavg()
    .slice(0, 2)
    .map(value => value.toFixed(1))
    .join(', ');
}
