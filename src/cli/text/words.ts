import type { Execution, ExecutionStatus, StageState, StageStatus } from '../../model/execution.ts';
import type { Release } from '../../model/release.ts';
import type { RegionHealth } from '../../model/status.ts';
import type { Paint } from '../context.ts';

/** How an execution stands, or that nobody knows. Every ending has its own word and its own colour. */
const WORDS: Record<ExecutionStatus, { word: string; colour: (paint: Paint) => (text: string) => string }> = {
  Queued: { word: 'queued', colour: paint => paint.dim },
  InProgress: { word: 'in progress', colour: paint => paint.cyan },
  Waiting: { word: 'waiting', colour: paint => paint.yellow },
  Succeeded: { word: 'succeeded', colour: paint => paint.green },
  RolledBack: { word: 'rolled back', colour: paint => paint.magenta },
  Failed: { word: 'failed', colour: paint => paint.red },
  Stopping: { word: 'stopping', colour: paint => paint.gray },
  Stopped: { word: 'stopped', colour: paint => paint.gray },
  Superseded: { word: 'superseded', colour: paint => paint.blue },
  Unknown: { word: 'unknown', colour: paint => paint.inverse },
};

/** The word in its colour, filled up to `width` so that columns stand straight. */
export function standingWord(standing: ExecutionStatus, paint: Paint, width = 0): string {
  const { word, colour } = WORDS[standing];
  return colour(paint)(word) + ' '.repeat(Math.max(0, width - word.length));
}

/** The word as a predicate, behind whose it is: `has succeeded`, `is waiting`, `was superseded`. */
export function standingPhrase(status: ExecutionStatus): string {
  return `${VERBS[status]} ${WORDS[status].word}`;
}

const VERBS: Record<ExecutionStatus, string> = {
  Queued: 'is',
  InProgress: 'is',
  Waiting: 'is',
  Succeeded: 'has',
  RolledBack: 'was',
  Failed: 'has',
  Stopping: 'is',
  Stopped: 'was',
  Superseded: 'was',
  Unknown: 'is',
};

export const LONGEST_STANDING = Math.max(...Object.values(WORDS).map(({ word }) => word.length));

/** `healthy`, `degraded` or `unreachable`, in its colour. */
export function healthWord(health: RegionHealth, paint: Paint): string {
  const colour = { healthy: paint.green, degraded: paint.yellow, unreachable: paint.red }[health];
  return colour(health);
}

/** `✓ Source  ✓ Build  ● Staging  ○ Approval  ○ Production`. */
export function stageDots(stages: readonly StageState[], paint: Paint): string {
  return stages.map(stage => `${DOTS[stage.status](paint)} ${stage.name}`).join('  ');
}

const DOTS: Record<StageStatus, (paint: Paint) => string> = {
  NotStarted: paint => paint.dim('○'),
  Queued: paint => paint.dim('○'),
  InProgress: paint => paint.cyan('●'),
  Waiting: paint => paint.yellow('●'),
  Succeeded: paint => paint.green('✓'),
  RolledBack: paint => paint.magenta('↩'),
  Failed: paint => paint.red('✗'),
  Stopping: paint => paint.gray('■'),
  Stopped: paint => paint.gray('■'),
  Skipped: paint => paint.dim('–'),
};

/** The first seven digits, as git shows commits. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}

/** Long enough to name an execution anywhere, short enough to type. */
export function shortId(execution: Pick<Execution, 'id'>): string {
  return execution.id.slice(0, 8);
}

/** ` in us-east-1`, where it is known which region built it. */
export function builtIn(release: Pick<Release, 'builtIn'>): string {
  return release.builtIn === '' ? '' : ` in ${release.builtIn}`;
}
