import { dirname, join } from 'node:path';
import { TandemError } from '../../../../core/error.ts';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from '../../../../platform/files.ts';
import { environment as machineEnvironment, nodePath, nodeVersion } from '../../../../platform/process.ts';
import { resolveWithin } from '../context/scoped-path.ts';
import { checkFlags } from '../dockerfile/flags.ts';
import { invalid, unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { parseExecForm } from '../dockerfile/words.ts';
import { takeSnapshot } from '../layers/snapshot.ts';
import type { ProgressStep } from '../progress.ts';
import { collectChanges } from './run-changes.ts';
import { describeMounts, parseMounts, prepareMounts, type PreparedMount } from './run-mounts.ts';
import { refuseForeignPaths, refuseMachineChanges } from './run-policy.ts';
import { runGuarded } from './run-process.ts';
import type { BuildSession } from './session.ts';
import type { Stage, StepOutcome } from './stage.ts';
import { resolveOwner } from './users.ts';

/** What to run, and the text that a look at it has to read. */
interface RunCommand {
  argv: string[];
  text: string;
}

/** Proxy settings need no ARG, and are no part of the cache's key (Dockerfile reference, "Predefined ARGs"). */
const PREDEFINED = /^(?:https?|ftp|no|all)_proxy$/i;

/** Flags and text of a RUN, looked at before anything of its stage runs. */
export function checkRun(instruction: Instruction): void {
  const flags = checkFlags(instruction, {
    values: ['mount', 'network'],
    unsupported: { security: 'needs a container engine', device: 'needs a container engine' },
  });
  for (const network of flags.get('network') ?? [])
    if (network !== 'default' && network !== 'host')
      throw unsupported(instruction, `--network=${network} would need a network of its own`);
  const words = parseExecForm(instruction.text);
  if (words?.length === 0) throw invalid(instruction, 'RUN [] runs nothing');
  refuseMachineChanges(instruction, isScript(instruction) ? textOf(instruction) : lineOf(instruction));
}

export async function applyRun(
  stage: Stage,
  instruction: Instruction,
  step: ProgressStep,
): Promise<StepOutcome> {
  const flags = checkFlags(instruction, { values: ['mount', 'network'] });
  const mounts = parseMounts(stage, instruction, flags.get('mount') ?? []);
  const command = readCommand(stage, instruction);
  const createdBy = `RUN ${command.argv.join(' ')} # tandem`;
  const environment = runEnvironment(stage);
  const key = stage.cacheKey(instruction, [
    command.argv,
    command.text,
    [...environment].filter(([name]) => !PREDEFINED.test(name)),
    stage.config.User,
    stage.workingFolder,
    await describeMounts(stage, instruction, mounts),
    nodeVersion,
  ]);
  if (await stage.takeCached(key, createdBy)) return 'cached';
  const root = await stage.root();
  const tree = await stage.tree();
  const owner = await resolveOwner(stage, instruction, stage.config.User ?? '0');
  const before = takeSnapshot(root);
  const prepared = await prepareMounts(stage, instruction, mounts);
  const overlaid = await execute({
    stage,
    instruction,
    command,
    environment,
    root,
    mounts: prepared,
    step,
  });
  const entries = collectChanges({
    instruction,
    root,
    before,
    tree,
    owner,
    overlaid,
    warn: text => stage.session.warn(text),
  });
  return stage.addFiles(key, entries, createdBy, false);
}

function lineOf({ text }: Instruction): string {
  return parseExecForm(text)?.join(' ') ?? text;
}

/** A lone here-document is the script itself; any other is input of the command that opens it. */
function isScript({ text, heredocs }: Instruction): boolean {
  return heredocs.length === 1 && /^<<-?(["']?)[^\s"']+\1$/.test(text);
}

function textOf(instruction: Instruction): string {
  return [lineOf(instruction), ...instruction.heredocs.map(({ content }) => content)].join('\n');
}

function readCommand(stage: Stage, instruction: Instruction): RunCommand {
  const text = textOf(instruction);
  const words = parseExecForm(instruction.text);
  if (words !== undefined) return { argv: words, text };
  const [document] = instruction.heredocs;
  if (document === undefined) return { argv: [...stage.shell, instruction.text], text };
  if (isScript(instruction)) return { argv: [...stage.shell, document.content], text };
  const bodies = instruction.heredocs.map(({ name, content }) => `${content}${name}\n`);
  return { argv: [...stage.shell, `${instruction.text}\n${bodies.join('')}`], text };
}

/** ARGs in scope, ENV over them, and what a container would set by itself. */
function runEnvironment(stage: Stage): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of stage.session.globals.buildArguments)
    if (PREDEFINED.test(name)) environment.set(name, value);
  for (const [name, value] of stage.arguments) if (value !== undefined) environment.set(name, value);
  for (const [name, value] of stage.environment()) environment.set(name, value);
  if (!environment.has('HOME')) environment.set('HOME', homeOf(stage.config.User ?? 'root'));
  return environment;
}

function homeOf(user: string): string {
  const [name = ''] = user.split(':');
  if (name === 'root' || name === '0') return '/root';
  return /^\d+$/.test(name) ? '/' : `/home/${name}`;
}

interface Execution {
  stage: Stage;
  instruction: Instruction;
  command: RunCommand;
  environment: Map<string, string>;
  root: string;
  mounts: readonly PreparedMount[];
  step: ProgressStep;
}

/** Resolves to the top-level folders in which the command saw this machine's files below the stage's. */
async function execute(execution: Execution): Promise<ReadonlySet<string>> {
  const { session } = execution.stage;
  const overlaid =
    session.rootView.unavailable === undefined ? await executeInRootView(execution) : undefined;
  if (overlaid !== undefined) return overlaid;
  session.signal.throwIfAborted();
  await executePlainly(execution, session.rootView.unavailable ?? 'no view of its own');
  return new Set();
}

/** `undefined` where the view could not be made, and the command did not start. */
async function executeInRootView(execution: Execution): Promise<ReadonlySet<string> | undefined> {
  const { stage, instruction, command, environment, root, mounts, step } = execution;
  const { session } = stage;
  const view = session.rootView.prepare({
    root,
    workFolder: session.workFolder,
    workingFolder: stage.workingFolder,
    mounts: [compiledCode(session), ...mounts],
    environment: new Map(environment).set('PATH', pathOf(environment.get('PATH') ?? '')),
    command: command.argv,
  });
  let exitCode: number;
  let outcome: ReturnType<typeof view.leave>;
  try {
    exitCode = await runGuarded(session, {
      argv: view.argv,
      cwd: session.workFolder,
      environment: view.environment,
      output: text => step.output(text),
    });
  } finally {
    outcome = view.leave();
  }
  session.signal.throwIfAborted();
  if (!outcome.entered) {
    session.rootView.giveUp(outcome.reason);
    return undefined;
  }
  checkExit(instruction, command, exitCode);
  return view.overlaid;
}

/** Where npm and its kin keep compiled code: kept from build to build, and out of the image. */
function compiledCode(session: BuildSession): PreparedMount {
  const source = join(session.mountFolder, 'node-compile-cache');
  mkdirSync(source, { recursive: true });
  return { type: 'cache', target: '/tmp/node-compile-cache', source, isFile: false };
}

/** Our own Node.js first, then the image's folders, then the machine's. */
function pathOf(imagePath: string): string {
  return [dirname(nodePath), imagePath, machineEnvironment['PATH'] ?? '']
    .filter(part => part !== '')
    .join(':');
}

async function executePlainly(execution: Execution, reason: string): Promise<void> {
  const { stage, instruction, command, environment, root, mounts, step } = execution;
  const { session } = stage;
  refuseForeignPaths(instruction, command.text, stage, `without a view of its own: ${reason}`);
  const other = mounts.find(({ type }) => type !== 'cache');
  if (other !== undefined)
    throw unsupported(instruction, `--mount=type=${other.type} needs mounts (${reason})`);
  const placed = mounts.map(mount => linkCache(instruction, root, mount));
  const inRoot = (path: string) => join(root, resolveWithin(root, path) ?? '');
  const home = inRoot(environment.get('HOME')!);
  const madeHome = existsSync(home) ? undefined : mkdirSync(home, { recursive: true });
  const scratch = mkdtempSync(join(session.workFolder, 'temporary-'));
  const imagePath = (environment.get('PATH') ?? '').split(':').map(inRoot).filter(existsSync).join(':');
  try {
    const exitCode = await runGuarded(session, {
      argv: command.argv,
      cwd: inRoot(stage.workingFolder),
      environment: {
        ...Object.fromEntries(environment),
        PATH: pathOf(imagePath),
        HOME: home,
        TMPDIR: scratch,
      },
      output: text => step.output(text),
    });
    session.signal.throwIfAborted();
    checkExit(instruction, command, exitCode);
  } finally {
    for (const link of placed) unlinkSync(link);
    if (madeHome !== undefined) removeIfEmpty(home);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Without mounts, a cache folder is a link for as long as the command runs. */
function linkCache(instruction: Instruction, root: string, mount: PreparedMount): string {
  const place = join(root, resolveWithin(root, mount.target) ?? '');
  if (lstatSync(place, { throwIfNoEntry: false }) !== undefined)
    throw unsupported(
      instruction,
      `--mount=type=cache,target=${mount.target}: the image has that folder already`,
    );
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(mount.source!, place);
  return place;
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // RUN wrote into it: it is part of the image.
  }
}

function checkExit(instruction: Instruction, { argv }: RunCommand, exitCode: number): void {
  if (exitCode === 0) return;
  const [firstLine = '', ...more] = argv.join(' ').split('\n');
  throw new TandemError(
    'IMAGE_BUILD_FAILED',
    `failed to solve: process "${firstLine}${more.length > 0 ? ' …' : ''}" (${instruction.file}:${instruction.line}) did not complete successfully: exit code: ${exitCode}`,
    { data: { file: instruction.file, line: instruction.line, exitCode } },
  );
}
