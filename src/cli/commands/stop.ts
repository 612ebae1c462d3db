import { ENDED_EXECUTION_STATUSES } from '../../model/execution.ts';
import { actOnExecutions } from '../act-on-executions.ts';
import { defineCommand } from '../command.ts';
import { waitOption } from '../option-values.ts';
import { shortId } from '../text/words.ts';

export const stop = defineCommand<{ abandon: boolean; wait: boolean }>({
  name: 'stop',
  summary: 'Stop an execution',
  details:
    'What it is doing right now is finished first, and nothing more is started; --abandon ends it at once. ' +
    'Without an id: every execution under way, in every region.',
  examples: ['tandem stop', 'tandem stop --target aws', 'tandem stop 1a2b3c4d --abandon'],
  arguments: [{ syntax: '[execution]', description: 'id of an execution, or the beginning of one' }],
  options: [
    { flags: '--abandon', description: 'do not let running actions finish', default: false },
    waitOption,
  ],
  takesRegion: true,
  isForAws: true,
  run: (context, { abandon, wait }, id) =>
    actOnExecutions(context, {
      id,
      choose: newestFirst => newestFirst.filter(({ status }) => !ENDED_EXECUTION_STATUSES.has(status)),
      predicate: 'is under way',
      act: (operations, execution) => operations.stop(execution.id, { abandon, by: context.user }),
      done: 'stopping',
      ...(!abandon && {
        remark: execution =>
          execution.status === 'Stopping' && execution.stage !== 'Approval'
            ? `what runs in ${execution.stage} is finished first; to end it at once: tandem stop ${shortId(execution)} --abandon`
            : undefined,
      }),
      wait,
      isStop: true,
    }),
});
