import { actOnExecutions } from '../act-on-executions.ts';
import { defineCommand } from '../command.ts';
import { commentOption, waitOption } from '../option-values.ts';

export const approve = defineCommand<{ comment: string; wait: boolean }>({
  name: 'approve',
  summary: 'Let what waits for approval go on to production',
  details:
    'Without an id: what waits in every region, if it is one commit. Then shows production moving, until it has ended.',
  examples: [
    'tandem approve',
    'tandem approve --target aws',
    'tandem approve 1a2b3c4d --comment "load test passed"',
  ],
  arguments: [{ syntax: '[execution]', description: 'id of an execution, or the beginning of one' }],
  options: [commentOption, waitOption],
  takesRegion: true,
  isForAws: true,
  run: (context, { comment, wait }, id) =>
    actOnExecutions(context, {
      id,
      choose: newestFirst => newestFirst.filter(({ status }) => status === 'Waiting'),
      predicate: 'waits for approval',
      oneCommit: true,
      act: (operations, execution) =>
        operations.approve({ executionId: execution.id, by: context.user, comment }),
      done: 'approved',
      wait,
    }),
});
