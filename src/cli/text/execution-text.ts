import { formatDuration } from '../../core/duration.ts';
import type { Execution, ExecutionStatus } from '../../model/execution.ts';
import type { Paint } from '../context.ts';
import { printable } from './printable.ts';
import { waitingText } from './time.ts';
import { LONGEST_STANDING, shortCommit, stageDots, standingWord } from './words.ts';

/** One line while it runs: stages, and what it waits for or how it ended. */
export function executionRow(execution: Execution, paint: Paint): string {
  const dots = stageDots(execution.stages, paint);
  const link = execution.status === 'Waiting' ? ' for ' : ', waits for ';
  return `${dots}  ${standingWord(execution.status, paint)}${remark(execution, link)}`;
}

/** Why it ended, or behind `link` what it waits for. */
function remark(execution: Execution, link: string): string {
  if (execution.cause !== undefined) return `: ${printable(execution.cause)}`;
  const waiting = execution.waiting ?? execution.stages.find(({ name }) => name === execution.stage)?.waiting;
  if (waiting === undefined) return '';
  // Some tell how far it is (`1 of 2 new tasks healthy`) instead of what is to come.
  const isProgress = /^\d/.test(waiting.for);
  return `${isProgress ? ': ' : link}${waitingText(waiting)}`;
}

/** One line when it is over, or waits: `succeeded    #3 3f2a91c Add a cart, in 42 s`. */
export function executionResult(
  standing: ExecutionStatus,
  execution: Execution | undefined,
  paint: Paint,
): string {
  const word = standingWord(standing, paint, LONGEST_STANDING);
  if (!execution) return word.trimEnd();
  const took =
    execution.endedAt === undefined ? '' : `, in ${formatDuration(execution.endedAt - execution.startedAt)}`;
  return `${word}  ${executionName(execution, paint)}${standing === 'Unknown' ? '' : took + remark(execution, ', for ')}`;
}

/** `#3 3f2a91c Add a cart`; where executions have no numbers, `3f2a91c Add a cart`. */
export function executionName(execution: Execution, paint: Paint): string {
  const { number, commit } = execution;
  const ordinal = number === 0 ? '' : `#${number} `;
  return `${ordinal}${paint.yellow(shortCommit(commit.id))} ${shortSubject(printable(commit.subject))}`;
}

const SUBJECT_WIDTH = 72;

/** A subject may be a whole text; a line of ours has room for as much as git recommends. */
function shortSubject(subject: string): string {
  const characters = Array.from(subject);
  return characters.length <= SUBJECT_WIDTH ? subject : `${characters.slice(0, SUBJECT_WIDTH - 1).join('')}…`;
}
