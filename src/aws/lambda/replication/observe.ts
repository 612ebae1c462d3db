import { TandemError } from '../../../core/error.ts';
import type { Instant } from '../../../core/instant.ts';
import type { RegionName } from '../../../model/names.ts';
import { newId } from '../../../platform/random.ts';
import { readRefs, type GitRemote } from './git-remote.ts';
import { inParallel } from './in-parallel.ts';
import type { RefRecord, RefTable } from './ref-table.ts';

/** One region's repository, and what is written down about it. */
export interface Replica {
  region: RegionName;
  git: GitRemote;
  table: RefTable;
}

const ATTEMPTS = 5;
const NEVER_THERE: RefRecord = { id: undefined, version: {}, revision: 0, changedAt: 0 };

/**
 * The refs of a region, each under the version that its value has. A value that nobody wrote down is a push by a person, and
 * counts as one change of that region; one that was announced has the announced version. Any function may observe any
 * region: whoever comes first writes it down, and the rest read that.
 */
export async function observe(replica: Replica, changedAt: Instant): Promise<Map<string, RefRecord>> {
  const { table, git, region } = replica;
  const name = await table.replica(region, newId);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    // The table first: whatever another function does between the two makes our revision an old one.
    const records = await table.list();
    const refs = await readRefs(git);
    const changed = [...new Set([...records.keys(), ...refs.keys()])].filter(
      ref => (records.get(ref) ?? NEVER_THERE).id !== refs.get(ref),
    );
    const stored = await inParallel(changed, async ref => {
      const record = observed(records.get(ref) ?? NEVER_THERE, refs.get(ref), { name, changedAt });
      records.set(ref, { ...record, revision: record.revision + 1 });
      return table.put(ref, record);
    });
    if (stored.every(Boolean)) return records;
  }
  throw new TandemError(
    'REPLICATION_CONTENDED',
    `The branches in ${region} changed faster than they could be written down. It is tried again.`,
    { kind: 'system', data: { region } },
  );
}

function observed(
  { intent, version, revision }: RefRecord,
  id: string | undefined,
  { name, changedAt }: { name: string; changedAt: Instant },
): RefRecord {
  const isAnnounced = intent !== undefined && intent.id === id;
  return {
    id,
    version: isAnnounced ? intent.version : { ...version, [name]: (version[name] ?? 0) + 1 },
    revision,
    changedAt,
  };
}
