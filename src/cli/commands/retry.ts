import type { ExecutionStatus } from '../../model/execution.ts';
import { actOnExecutions } from '../act-on-executions.ts';
import { defineCommand } from '../command.ts';
import { waitOption } from '../option-values.ts';

const RETRIED: ReadonlySet<ExecutionStatus> = new Set(['Failed', 'RolledBack', 'Stopped']);

export const retry = defineCommand<{ wait: boolean }>({
  name: 'retry',
  summary: 'Run a failed execution again, from the stage that failed',
  details: 'Without an id: the newest execution of each region, where it failed, was rolled back or stopped.',
  examples: ['tandem retry', 'tandem retry --target aws', 'tandem retry 1a2b3c4d'],
  arguments: [{ syntax: '[execution]', description: 'id of an execution, or the beginning of one' }],
  options: [waitOption],
  takesRegion: true,
  isForAws: true,
  run: (context, { wait }, id) =>
    actOnExecutions(context, {
      id,
      choose: newestFirst => newestFirst.slice(0, 1).filter(({ status }) => RETRIED.has(status)),
      predicate: 'can be tried again',
      act: (operations, execution) => operations.retry(execution.id, context.user),
      done: 'trying again',
      wait,
    }),
});
