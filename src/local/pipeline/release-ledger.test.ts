import { expect, test } from 'vitest';
import type { Commit, Release } from '../../model/release.ts';
import { migrate, openDatabase } from '../../platform/database.ts';
import { ReleaseLedger } from './release-ledger.ts';
import { PIPELINE_MIGRATIONS } from './schema.ts';

const MORE_THAN_KEPT = 1_100;

test('the newest thousand releases are remembered, and older ones that production went well with', () => {
  const database = openDatabase(':memory:');
  migrate(database, 'pipeline', PIPELINE_MIGRATIONS);
  const ledger = new ReleaseLedger(database, { images: () => [] } as never, 'shop');
  for (const number of [0, 1]) {
    ledger.enter({
      kind: 'deployed',
      environment: 'production',
      ...made(number),
      at: number,
      isRollback: false,
    });
  }
  for (let number = 2; number < MORE_THAN_KEPT; number += 1) ledger.enter({ kind: 'built', ...made(number) });

  const kept = database
    .prepare('SELECT commit_id FROM pipeline_releases ORDER BY sequence')
    .all()
    .map(row => Number(row['commit_id']));
  expect(kept).toHaveLength(1_002);
  expect(kept.slice(0, 3)).toEqual([0, 1, MORE_THAN_KEPT - 1_000]);
  expect(ledger.good().map(({ release }) => Number(release.commit))).toEqual([1, 0]);
  database.close();
});

test('of more than a thousand good releases the oldest are forgotten', () => {
  const database = openDatabase(':memory:');
  migrate(database, 'pipeline', PIPELINE_MIGRATIONS);
  const ledger = new ReleaseLedger(database, { images: () => [] } as never, 'shop');
  for (let number = 0; number < MORE_THAN_KEPT; number += 1) {
    const deployed = { kind: 'deployed', environment: 'production', at: number, isRollback: false } as const;
    ledger.enter({ ...deployed, ...made(number) });
  }
  const count = database.prepare('SELECT count(*) AS count FROM pipeline_releases').get()?.['count'];
  // The one that is entered last gets its place among the good ones only after it was made room for.
  expect(count).toBeLessThanOrEqual(1_001);
  database.close();
});

function made(number: number): { release: Release; commit: Commit } {
  const id = String(number).padStart(40, '0');
  const release = { commit: id, digest: `sha256:${id}`, builtIn: 'us-east-1', builtAt: number };
  return { release, commit: { id, subject: '', author: { name: '', email: '' }, authoredAt: number } };
}
