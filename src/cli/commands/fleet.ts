import { dirname, join, resolve } from 'node:path';
import { formatDuration } from '../../core/duration.ts';
import { TandemError } from '../../core/error.ts';
import type { Customer, Fleet } from '../../model/config/fleet.ts';
import { mkdir, writeFile } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, Paint } from '../context.ts';
import { EXIT, worst, type ExitCode } from '../exit-code.ts';
import { runFleet, type CustomerOutcome, type CustomerRun } from '../fleet-run.ts';
import { loadFleet } from '../load-config.ts';
import { yesOption } from '../option-values.ts';
import { table } from '../text/table.ts';

interface Options {
  file: string;
  customer: string;
  yes: boolean;
}

/** What can be done for many customers; each is the command of that name. */
const ACTIONS = ['plan', 'deploy', 'status', 'drift', 'cost'] as const;
type Action = (typeof ACTIONS)[number];

export const fleet = defineCommand<Options>({
  name: 'fleet',
  summary: 'Do something for one, some or all customers of a fleet file',
  details:
    '`tandem.fleet.ts` lists customers and what differs between them. They are taken wave by wave, some at once; after the ' +
    'first failure nobody new is begun, and the summary says who was. Each customer’s whole configuration is written to ' +
    '.tandem/fleet/<customer>, where every other command takes it with --config.',
  examples: [
    'tandem fleet plan',
    'tandem fleet deploy --customer acme,globex --yes',
    'tandem fleet cost --json',
  ],
  arguments: [{ syntax: '<command>', description: 'what to do', choices: ACTIONS }],
  options: [
    { flags: '--file <file>', description: 'the fleet file', default: 'tandem.fleet.ts' },
    { flags: '--customer <names>', description: 'a name, several with commas, or all', default: 'all' },
    yesOption,
  ],
  takesRegion: false,
  isForAws: true,
  async run(context, { file, customer, yes }, argument) {
    const action = argument as Action;
    const path = resolve(context.workingFolder, file);
    const known = await loadFleet(path);
    const chosen = chosenCustomers(known, customer);
    if (action === 'deploy' && !yes) {
      throw new TandemError(
        'CONFIRMATION_MISSING',
        `this would deploy ${chosen.size} customers at once: look with \`tandem fleet plan\`, then say --yes`,
      );
    }
    const folder = join(dirname(path), '.tandem', 'fleet');
    const outcomes = await runFleet(known, chosen, {
      clock: context.clock,
      run: name => runFor(context, { action, yes, folder, customer: customerNamed(known, name) }),
      onEnd: outcome => showEnd(context, outcome),
    });
    if (context.json) context.printJson({ customers: outcomes.map(asJson) });
    else for (const line of summary(outcomes, context.paint)) context.print(line);
    const codes = outcomes.flatMap(({ run }) => (run === undefined ? [] : [run.exitCode]));
    return worst(codes);
  },
});

function chosenCustomers({ customers }: Fleet, names: string): ReadonlySet<string> {
  const known = customers.map(({ name }) => name);
  const chosen = names === 'all' ? known : names.split(',').map(name => name.trim());
  const unknown = chosen.find(name => !known.includes(name));
  if (unknown === undefined) return new Set(chosen);
  throw new TandemError(
    'CUSTOMER_UNKNOWN',
    `there is no customer ${unknown} in the fleet, only ${known.join(', ')}`,
    {
      data: { customer: unknown, known },
    },
  );
}

function customerNamed({ customers }: Fleet, name: string): Customer {
  return customers.find(customer => customer.name === name)!;
}

interface Task {
  action: Action;
  yes: boolean;
  folder: string;
  customer: Customer;
}

/** Runs the ordinary command with the customer's configuration, and keeps what it says. */
async function runFor(
  context: CommandContext,
  { action, yes, folder, customer }: Task,
): Promise<CustomerRun> {
  const path = join(folder, customer.name, 'tandem.config.ts');
  await mkdir(dirname(path), { recursive: true });
  const text = JSON.stringify(customer.config, undefined, 2);
  await writeFile(
    path,
    `// Written by \`tandem fleet\`: change tandem.fleet.ts instead.\nexport default ${text};\n`,
  );
  const run = { stdout: '', stderr: '' };
  const kept = (name: 'stdout' | 'stderr') => ({
    isTerminal: false,
    write: (written: string) => {
      run[name] += written;
    },
  });
  // Loaded here, for it loads the list of commands, which this one is in.
  const { runCommandLine } = await import('../command-line.ts');
  const exitCode = await runCommandLine(
    [
      action,
      '--config',
      path,
      // What has no form on AWS yet is asked of the local cloud.
      ...(action === 'status' ? [] : ['--target', 'aws']),
      ...(action === 'deploy' && yes ? ['--yes'] : []),
      ...(context.json ? ['--json'] : []),
    ],
    { ...context, stdout: kept('stdout'), stderr: kept('stderr') },
  );
  return { exitCode, ...run };
}

/** Everything that a customer's command said, at its end: lines of several at once could not be told apart. */
function showEnd(context: CommandContext, { customer, run }: CustomerOutcome): void {
  if (context.json || run === undefined) return;
  context.print(context.paint.bold(`── ${customer}`));
  if (run.stdout !== '') context.print(run.stdout.trimEnd());
  if (run.exitCode !== EXIT.done && run.stderr !== '') context.note(run.stderr.trimEnd());
  context.print();
}

const WORDS: Record<ExitCode, { word: string; colour: (paint: Paint) => (text: string) => string }> = {
  [EXIT.done]: { word: 'done', colour: paint => paint.green },
  [EXIT.failed]: { word: 'failed', colour: paint => paint.red },
  [EXIT.wrongUse]: { word: 'refused', colour: paint => paint.red },
  [EXIT.rolledBack]: { word: 'rolled back', colour: paint => paint.magenta },
  [EXIT.waiting]: { word: 'waiting', colour: paint => paint.yellow },
  [EXIT.drift]: { word: 'drifted', colour: paint => paint.yellow },
  [EXIT.unknown]: { word: 'unknown', colour: paint => paint.inverse },
};

function summary(outcomes: readonly CustomerOutcome[], paint: Paint): string[] {
  return table([
    ['customer', 'wave', 'ending', 'took'],
    ...outcomes.map(({ customer, wave, run, durationMs }) => {
      if (run === undefined) return [customer, String(wave), paint.dim('not begun'), ''];
      const { word, colour } = WORDS[run.exitCode];
      return [customer, String(wave), colour(paint)(word), formatDuration(durationMs)];
    }),
  ]);
}

function asJson({ customer, wave, run, durationMs }: CustomerOutcome): object {
  if (run === undefined) return { customer, wave, isBegun: false };
  return { customer, wave, isBegun: true, exitCode: run.exitCode, durationMs, result: parsed(run.stdout) };
}

/** What a command prints with --json; its text where it could not even begin to. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
