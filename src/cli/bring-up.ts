import { dirname } from 'node:path';
import { unreachable } from '../core/assert.ts';
import { TandemError } from '../core/error.ts';
import type { Config } from '../model/config/schema.ts';
import type { RegionStatus } from '../model/status.ts';
import type { TimingProfile } from '../model/timing.ts';
import { readdir, rm } from '../platform/files.ts';
import type { CommandContext } from './context.ts';
import { makeDataFolder } from './data-folder.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { printError } from './failures.ts';
import { REMOTE_NAME, setUpRemote } from './git-remote.ts';
import type { RunningCloud } from '../model/local-lifecycle.ts';
import { ProgressView } from './progress-view.ts';
import { reportFailures } from './regions.ts';
import { statusAsJson } from './status-report.ts';
import { followRegions } from './stream-regions.ts';
import { eventLine } from './text/event-text.ts';
import { printable } from './text/printable.ts';
import { table } from './text/table.ts';

export interface BringUpOptions {
  portBase?: number;
  timing: TimingProfile;
  detach: boolean;
}

/** Brings the local cloud up with live progress. Ctrl-C meanwhile gives up, and leaves nothing running. */
export async function bringUp(
  context: CommandContext,
  config: Config,
  { portBase, timing, detach }: BringUpOptions,
): Promise<RunningCloud> {
  const { dataDir, configPath } = context;
  const view = new ProgressView(context.stderr, context.progressPaint, context.clock);
  const giveUp = new AbortController();
  const release = context.onInterrupt(() =>
    giveUp.abort(new TandemError('UP_INTERRUPTED', 'interrupted before it was up; nothing runs')),
  );
  const since = context.clock.now();
  let isUp = false;
  await makeDataFolder(dataDir);
  try {
    giveUp.signal.throwIfAborted();
    const running = await context.local.up({
      config,
      configPath,
      dataDir,
      ...(portBase === undefined ? {} : { portBase }),
      timing,
      mode: detach ? 'detached' : 'foreground',
      signal: giveUp.signal,
      onProgress({ region, message }) {
        const text = printable(message);
        if (region === undefined || isUp) view.note(region === undefined ? text : `${region}  ${text}`);
        else view.set(region, { text, since });
      },
    });
    isUp = true;
    return running;
  } catch (error) {
    await removeIfUnused(dataDir);
    throw error;
  } finally {
    release();
    view.end({ keep: true });
  }
}

async function removeIfUnused(dataDir: string): Promise<void> {
  const entries = await readdir(dataDir);
  if (entries.every(entry => entry === '.gitignore')) await rm(dataDir, { recursive: true });
}

/** Says where everything is to be found, and sets up the Git remote. */
export async function reportUp(
  context: CommandContext,
  { cloud, failures }: RunningCloud,
  { branch, hasMore }: { branch: string; hasMore: boolean },
): Promise<ExitCode> {
  const statuses = await cloud.status();
  if (context.json) context.printJson({ regions: statuses.map(statusAsJson) });
  else for (const line of addressLines(statuses, context)) context.print(line);
  const remark = await remoteRemark(context, statuses[0]!.gitUrl, branch);
  context.note(remark);
  if (!hasMore) context.note(`next: tandem push (or git push ${REMOTE_NAME} ${branch})`);
  return reportFailures(context, failures);
}

function addressLines(statuses: readonly RegionStatus[], { paint }: CommandContext): string[] {
  return table(
    statuses.flatMap(({ region, services, gitUrl }) => [
      ...services.map(({ name, url }, index) => [
        index === 0 ? paint.bold(region) : '',
        name,
        paint.cyan(url),
      ]),
      ['', 'git', paint.cyan(gitUrl)],
    ]),
  );
}

async function remoteRemark(context: CommandContext, gitUrl: string, branch: string): Promise<string> {
  const folder = dirname(context.configPath);
  const setup = await setUpRemote(context.git, folder, gitUrl);
  switch (setup.state) {
    case 'added':
      return `the Git remote ${REMOTE_NAME} of ${folder} now is ${gitUrl}`;
    case 'updated':
      return `the Git remote ${REMOTE_NAME} of ${folder} now points to ${gitUrl}`;
    case 'unchanged':
      return `the Git remote ${REMOTE_NAME} is ${gitUrl}`;
    case 'taken':
      return `there is a Git remote ${REMOTE_NAME} to ${setup.url} already, which is left alone; push with: git push ${gitUrl} ${branch}`;
    case 'no-repository':
      return `${folder} is not a Git repository of its own yet: git init -b ${branch} && git remote add ${REMOTE_NAME} ${gitUrl}`;
    default:
      return unreachable(setup);
  }
}

/** Ctrl-C while the cloud runs in the foreground: the first stops it, a further one forces it. */
export interface Interrupts {
  presses(): number;
  /** Aborted at the first. */
  signal: AbortSignal;
  /** Resolves when what the presses asked for is done. */
  settled(): Promise<void>;
  release(): void;
}

export function stopOnInterrupt(context: CommandContext, running: RunningCloud): Interrupts {
  const interrupted = new AbortController();
  const stopping: Promise<void>[] = [];
  const release = context.onInterrupt(() => {
    const isFirst = stopping.length === 0;
    context.note(isFirst ? 'stopping; Ctrl-C again to force it' : 'stopping at once');
    stopping.push(running.stop({ force: !isFirst }));
    interrupted.abort();
  });
  return {
    presses: () => stopping.length,
    signal: interrupted.signal,
    settled: async () => void (await Promise.all(stopping)),
    release,
  };
}

/** Shows what happens in the regions until the cloud ends: by Ctrl-C, or from elsewhere. */
export async function stayInForeground(
  context: CommandContext,
  running: RunningCloud,
  interrupts: Interrupts,
): Promise<ExitCode> {
  const { cloud } = running;
  const ending = new AbortController();
  const startedAt = context.clock.now();
  if (interrupts.presses() === 0) context.note('Ctrl-C stops it; what it has stored stays');
  const following = followRegions(
    context,
    {
      cloud,
      regions: cloud.regions(),
      open: (operations, after, signal) =>
        operations.events({ follow: true, ...(after === undefined ? { limit: 1 } : { after }) }, signal),
      onItem(_region, event) {
        if (event.at < startedAt) return;
        context.print(context.json ? JSON.stringify(event) : eventLine(event, context.paint));
      },
      // Nothing to be alarmed about: it is being started again, or `tandem down` stops it.
      onLost: region => context.note(`${region}: no answer from the region`),
    },
    AbortSignal.any([ending.signal, interrupts.signal]),
  ).catch((error: unknown) => printError(context.stderr, context.progressPaint, error));
  const how = await running.closed;
  ending.abort();
  await Promise.all([following, interrupts.settled()]);
  if (interrupts.presses() > 1) return EXIT.failed;
  if (how === 'taken-over') {
    context.note('another `tandem up` has taken the cloud over');
    return EXIT.done;
  }
  return interrupts.presses() === 1 ? ended(context) : endedElsewhere(context);
}

function ended(context: CommandContext): ExitCode {
  context.note('stopped; `tandem up` carries on from here');
  return EXIT.done;
}

/** `tandem down` in another terminal is a clean end; regions left behind without their supervisor are not. */
async function endedElsewhere(context: CommandContext): Promise<ExitCode> {
  const { processes } = await context.local.inventory(context.dataDir);
  if (processes.length === 0) return ended(context);
  throw new TandemError(
    'SUPERVISOR_GONE',
    `the supervisor has ended by itself, and ${processes.length} processes of the cloud go on without it; ` +
      '`tandem status` shows them, `tandem down` stops them',
    { kind: 'system' },
  );
}
