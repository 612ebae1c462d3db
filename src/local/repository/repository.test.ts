import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestRegions, type Clone, type TestRegion } from './testing/regions.ts';

let all: TestRegions;
let region: TestRegion;

beforeEach(async () => {
  all = await TestRegions.create({ names: ['us-east-1'] });
  region = all.regions[0]!;
});

afterEach(() => all.close());

describe('an ordinary git client', () => {
  test('pushes, and sees what the listeners say', async () => {
    await region.start(change => [`execution started for ${change.ref}`]);
    const clone = await all.clone();
    const id = await clone.commit('first');
    const { exitCode, stderr } = await clone.attempt('push', region.gitUrl, 'main');
    expect(stderr).toContain('remote: execution started for refs/heads/main');
    expect(exitCode).toBe(0);
    expect(region.changes).toEqual([
      { sequence: 1, ref: 'refs/heads/main', after: id, by: 'Ada <ada@example.com>' },
    ]);
    expect(await region.repository.resolve('main')).toBe(id);
    expect(await region.events('PushReceived')).toHaveLength(1);
  });
});
