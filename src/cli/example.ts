import { dirname, join, relative } from 'node:path';
import { TandemError } from '../core/error.ts';
import type { Cloud } from '../model/cloud.ts';
import { mkdir, pathExists, rename, rm, symlink } from '../platform/files.ts';
import { pushAndFollow } from './commands/push.ts';
import type { CommandContext } from './context.ts';
import { EXIT, exitCodeOfError, type ExitCode } from './exit-code.ts';
import { printError } from './failures.ts';
import { isRepositoryTop } from './git-remote.ts';
import { CONFIG_FILE_NAME } from './config-file-name.ts';
import { reaching } from './reach.ts';
import { copyExample } from './scaffold.ts';
import { table } from './text/table.ts';

const EXAMPLE_FOLDER = 'tandem-example';

/**
 * Makes the example application in the working folder, a repository with one commit, as far as it is not there yet.
 * Every step is safe to repeat: an example that was left half made is finished. Gives the path of its config file.
 */
export async function prepareExample(context: CommandContext): Promise<string> {
  const { git } = context;
  const folder = join(context.workingFolder, EXAMPLE_FOLDER);
  if (!(await pathExists(folder))) {
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await copyExample(context.packageFolder, partial, 'storefront');
    await rename(partial, folder);
    context.note(`made the example application in ${folder}`);
  }
  await linkCommand(context, folder);
  if (!(await isRepositoryTop(git, folder)))
    await mustSucceed(context, folder, ['init', '--quiet', '-b', 'main']);
  const head = await git(['rev-parse', '--verify', '--quiet', 'HEAD'], { folder });
  if (head.exitCode !== 0) {
    await mustSucceed(context, folder, ['add', '--all']);
    await mustSucceed(context, folder, [
      ...(await identity(context, folder)),
      '-c',
      'commit.gpgsign=false',
      'commit',
      '--quiet',
      '--message',
      'Open the storefront',
    ]);
  }
  return join(folder, CONFIG_FILE_NAME);
}

/** So that `npx tandem` in the example is this very Tandem, wherever it was started from. */
async function linkCommand({ packageFolder }: CommandContext, folder: string): Promise<void> {
  const link = join(folder, 'node_modules', '.bin', 'tandem');
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(relative(dirname(link), join(packageFolder, 'bin', 'tandem.js')), link);
}

/** A machine on which nobody has told git who they are can still make the example's commit. */
async function identity({ git }: CommandContext, folder: string): Promise<string[]> {
  const { exitCode } = await git(['config', 'user.email'], { folder });
  return exitCode === 0 ? [] : ['-c', 'user.name=Tandem', '-c', 'user.email=tandem@localhost'];
}

async function mustSucceed({ git }: CommandContext, folder: string, argv: string[]): Promise<void> {
  const { exitCode, stderr } = await git(argv, { folder });
  if (exitCode === 0) return;
  throw new TandemError(
    'GIT_FAILED',
    `git ${argv.at(-1)} in ${folder} ended with ${exitCode}: ${stderr.trim()}`,
    {
      kind: 'system',
    },
  );
}

/** Pushes the example, shows it on its way to the approval, and says what there is to try next. */
export async function pushExample(context: CommandContext, cloud: Cloud): Promise<ExitCode> {
  let exitCode: ExitCode;
  try {
    exitCode = await pushAndFollow(context, {
      cloud,
      folder: dirname(context.configPath),
      target: cloud.regions()[0]!,
      wait: true,
    });
  } catch (error) {
    // The cloud goes on: it is where to find out what went wrong.
    printError(context.stderr, context.progressPaint, error);
    exitCode = exitCodeOfError(error);
  }
  for (const line of nextSteps(context, exitCode, await stagingUrl(cloud))) context.note(line);
  return exitCode === EXIT.waiting ? EXIT.done : exitCode;
}

async function stagingUrl(cloud: Cloud): Promise<string> {
  const [primary] = await cloud.status();
  return primary?.services.find(({ name }) => name === 'staging')?.url ?? '';
}

function nextSteps(context: CommandContext, exitCode: ExitCode, url: string): string[] {
  const isFailed = exitCode !== EXIT.done && exitCode !== EXIT.waiting;
  const isWaiting = exitCode === EXIT.waiting;
  const steps = [
    ...(isFailed ? [['npx tandem logs build', 'what the build said']] : []),
    ...(isWaiting ? [['npx tandem approve', 'lets it into production, in every region']] : []),
    ['npx tandem status', 'what runs where'],
    ['npx tandem events -f', 'what happens'],
  ];
  const folder = dirname(context.configPath);
  const standing = isWaiting
    ? `Staging runs it (${url}), and production waits for you. `
    : `It runs (${url}). `;
  return [
    '',
    `${isFailed ? '' : standing}In another terminal:`,
    `  cd ${EXAMPLE_FOLDER}`,
    ...table(
      steps.map(([command, meaning]) => [reaching(context, command!, folder), meaning!]),
      '  ',
    ),
    '  …edit, git commit -a, git push tandem main: the next release',
    '',
  ];
}
