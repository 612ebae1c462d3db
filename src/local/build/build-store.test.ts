import { expect, test } from 'vitest';
import { DAY_MS } from '../../core/duration.ts';
import { openDatabase } from '../../platform/database.ts';
import { BuildStore } from './build-store.ts';

test('ended builds are forgotten after a year, but never one of the newest thousand, nor one that runs', () => {
  const store = new BuildStore(openDatabase(':memory:'));
  const begin = (at: number, isEnded: boolean) => {
    const request = { token: `token ${at}`, commit: 'a'.repeat(40), executionId: 'e' };
    const { build } = store.begin(request as Parameters<BuildStore['begin']>[0], at).stored;
    if (isEnded) store.save({ ...build, status: 'SUCCEEDED' });
    return build.id;
  };
  const running = begin(0, false);
  const old = begin(1, true);
  const recent = begin(366 * DAY_MS, true);
  for (let count = 0; count < 998; count += 1) begin(367 * DAY_MS + count, true);
  expect(store.byId(old)).toBeDefined();
  begin(368 * DAY_MS, true);
  expect(store.byId(old)).toBeUndefined();
  expect(store.byId(running)).toBeDefined();
  begin(369 * DAY_MS, true);
  expect(store.byId(recent)).toBeDefined();
});
