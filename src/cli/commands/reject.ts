import { actOnExecutions } from '../act-on-executions.ts';
import { defineCommand } from '../command.ts';
import { commentOption } from '../option-values.ts';

export const reject = defineCommand<{ comment: string }>({
  name: 'reject',
  summary: 'Keep what waits for approval out of production',
  details: 'Without an id: every execution that waits, in every region.',
  examples: ['tandem reject --comment "prices are wrong"', 'tandem reject 1a2b3c4d --target aws'],
  arguments: [{ syntax: '[execution]', description: 'id of an execution, or the beginning of one' }],
  options: [commentOption],
  takesRegion: true,
  isForAws: true,
  run: (context, { comment }, id) =>
    actOnExecutions(context, {
      id,
      choose: newestFirst => newestFirst.filter(({ status }) => status === 'Waiting'),
      predicate: 'waits for approval',
      act: (operations, execution) =>
        operations.reject({ executionId: execution.id, by: context.user, comment }),
      done: 'rejected',
      wait: false,
    }),
});
