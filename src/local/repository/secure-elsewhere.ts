import { errorMessage } from '../../core/error.ts';
import type { SecureElsewhere } from './ref-writer.ts';
import type { Replicator } from './replicator.ts';

/**
 * Synchronous replication: a push has to be in one other region before it is acknowledged here. The order is
 * theirs first, ours second. A crash in between leaves a change in the other region that nobody was promised; that
 * region hands it back like any other change. The other order would leave a change here that is nowhere else.
 */
export function secureInOneOf(replicators: readonly Replicator[]): SecureElsewhere {
  return async (changes, options) => {
    const failures: string[] = [];
    const reachableFirst = [...replicators].sort((left, right) => rank(left) - rank(right));
    for (const replicator of reachableFirst) {
      try {
        return await replicator.secure(changes, options);
      } catch (error) {
        failures.push(errorMessage(error));
      }
    }
    const reason =
      replicators.length === 0
        ? 'replication is synchronous, and there is no other region'
        : `replication is synchronous, and no other region took it; nothing was changed here. ${failures.join('; ')}`;
    return new Map(changes.map(({ ref }) => [ref, reason] as const));
  };
}

function rank(replicator: Replicator): number {
  return replicator.status().state === 'unreachable' ? 1 : 0;
}
