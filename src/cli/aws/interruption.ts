import type { Interruption } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';

/**
 * Ctrl-C while Terraform works: the first lets it end in good order, the second only warns, for all that is being made would
 * be left without a record, the third does it all the same. Even the first makes the AWS provider give up the calls that it
 * waits for: what such a call made, the next run finds to exist already (docs/runbooks/failed-apply.md).
 */
export function interruptible(
  context: CommandContext,
  say: (line: string) => void,
): Interruption & { release(): void } {
  const stop = new AbortController();
  const force = new AbortController();
  let presses = 0;
  const release = context.onInterrupt(() => {
    presses += 1;
    if (presses === 1) {
      say('stopping: what AWS has answered is recorded first, which may take minutes');
      stop.abort();
    } else if (presses === 2) {
      say(
        'still finishing; Ctrl-C once more drops it: what is just being made would stay on AWS, without a record',
      );
    } else if (presses === 3) {
      say('dropping it');
      force.abort();
    }
  });
  return { stop: stop.signal, force: force.signal, release };
}
