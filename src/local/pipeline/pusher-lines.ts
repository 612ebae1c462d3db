import { shortId } from '../../control/pipeline/words.ts';
import type { Execution } from '../../model/execution.ts';
import type { ServiceContext } from '../context.ts';
import type { RefChange } from '../repository/contract.ts';

/** What the pusher reads behind `remote: `. Another region reads nothing. */
export function pusherLines(
  context: Pick<ServiceContext, 'region' | 'config' | 'endpoint'>,
  change: RefChange,
  execution: Execution | undefined,
): string[] {
  if (change.replicatedFrom !== undefined) return [];
  if (execution) {
    return [
      `Tandem: execution ${execution.number} (${shortId(execution.id)}) started in ${context.region}`,
      'Watch it: tandem executions --follow',
      `      or: ${context.endpoint}/`,
    ];
  }
  const [, kind, name] = /^refs\/(heads|tags)\/(.*)$/.exec(change.ref) ?? [];
  const what = name === undefined ? change.ref : `${kind === 'tags' ? 'tag' : 'branch'} '${name}'`;
  if (change.after === undefined) return [`Tandem: ${what} deleted`];
  return [`Tandem: ${what} stored; only '${context.config.pipeline.branch}' is delivered`];
}
