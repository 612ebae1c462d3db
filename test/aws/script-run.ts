import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Answers to one command of the AWS CLI, in the order of the calls; the last stands for all further ones. */
export type Answers = Readonly<Record<string, readonly Answer[]>>;
/** What it prints, or how it fails, or a Bash script that works it out from its arguments, in the folder `$WORLD`. */
export type Answer = string | { fails: string } | { runs: string };

export interface ScriptRun {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Each call of the AWS CLI, as its arguments in one line. */
  calls: string[];
  /** A file that the script wrote, as JSON. */
  written(name: string): Promise<unknown>;
}

/** Runs a buildspec of one script in real Bash and jq, with an AWS CLI that answers as it is told. */
export async function runScript(
  buildspec: string,
  {
    environment,
    answers,
    files = {},
    world = '',
  }: {
    environment: Readonly<Record<string, string>>;
    answers: Answers;
    files?: Readonly<Record<string, string>>;
    /** A folder that scripts of answers keep things in. */
    world?: string;
  },
  examine: (run: ScriptRun) => void | Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-script-'));
  try {
    const programs = join(folder, 'programs');
    await mkdir(programs);
    await writeAnswers(programs, answers);
    await writeFile(join(programs, 'aws'), AWS_CLI);
    await chmod(join(programs, 'aws'), 0o755);
    const work = join(folder, 'work');
    await mkdir(work);
    for (const [name, text] of Object.entries(files)) await writeFile(join(work, name), text);
    const { phases } = JSON.parse(buildspec) as { phases: { build: { commands: [string] } } };
    const ended = await run(phases.build.commands[0], work, {
      PATH: `${programs}${delimiter}${process.env['PATH']}`,
      POLL_SECONDS: '0.01',
      AWS_REGION: 'us-east-1',
      WORLD: world,
      ...environment,
    });
    const log = await readFile(join(programs, 'calls'), 'utf8').catch(() => '');
    await examine({
      ...ended,
      calls: log.split('\n').filter(Boolean),
      written: async name => JSON.parse(await readFile(join(work, name), 'utf8')) as unknown,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file for each answer, so that the CLI needs no program besides Bash: `<command>.<number>`, `….fails` or `….runs`. */
async function writeAnswers(folder: string, answers: Answers): Promise<void> {
  for (const [command, listed] of Object.entries(answers)) {
    for (const [index, answer] of listed.entries()) {
      const path = join(folder, `${command.replace(' ', '-')}.${index}`);
      const [kind, text] = typeof answer === 'string' ? ['', answer] : Object.entries(answer)[0]!;
      await writeFile(kind === '' ? path : `${path}.${kind}`, `${text}\n`);
    }
  }
}

/** Every call is a process of its own, so how many there were lies in a file. */
const AWS_CLI = `#!/usr/bin/env bash
command=\${0%/*}/$1-$2
printf '%s\\n' "\${*//$'\\n'/ }" >> "\${0%/*}/calls"
next=0
if [ -f "$command" ]; then next=$(< "$command"); fi
if compgen -G "$command.$((next + 1))*" > /dev/null; then echo $((next + 1)) > "$command"; fi
if [ -f "$command.$next.runs" ]; then source "$command.$next.runs"; fi
if [ -f "$command.$next.fails" ]; then printf '%s\\n' "$(< "$command.$next.fails")" >&2; exit 254; fi
if [ -f "$command.$next" ]; then printf '%s\\n' "$(< "$command.$next")"; fi
`;

function run(
  command: string,
  workingFolder: string,
  environment: Record<string, string>,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', command], {
    cwd: workingFolder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // One that never ends would outlive its test, with all that it has started.
  const limit = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 60_000);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => (stdout += String(chunk)));
  child.stderr.on('data', chunk => (stderr += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      clearTimeout(limit);
      resolve({ exitCode: code ?? -1, stdout, stderr });
    });
  });
}
