import { describe, expect, test } from 'vitest';
import { configSchema } from '../model/config/schema.ts';
import type { CloudRecord } from './cloud-record.ts';
import { recordChanges } from './record-changes.ts';

const record: CloudRecord = {
  version: 1,
  program: { version: '1.0.0', entry: '/opt/tandem/bin/tandem.js' },
  configPath: '/shop/tandem.config.ts',
  config: configSchema.parse({ application: 'shop' }),
  timing: 'fast',
  internalToken: 'secret',
  regions: [],
};

const withConfig = (input: object): CloudRecord => ({
  ...record,
  config: configSchema.parse({ application: 'shop', ...input }),
});

describe('what differs between two records', () => {
  test('is nothing for the same settings', () => {
    expect(recordChanges(record, structuredClone(record))).toEqual([]);
  });

  test('is named by the keys of the config', () => {
    const next = withConfig({ service: { memoryMb: 1024 }, regions: ['us-east-1'] });
    expect(recordChanges(record, next)).toEqual(['changed config (regions, service.memoryMb)']);
  });

  test('is cut short where much differs', () => {
    const next = withConfig({
      customer: 'acme',
      owner: 'ann',
      costCenter: 'c1',
      replication: 'synchronous',
      logs: { retentionDays: 3 },
    });
    expect(recordChanges(record, next)[0]).toMatch(/^changed config \(.*, .*, .*, .* and 1 more\)$/);
  });

  test('may be Tandem itself, another copy of it, the timing, or which file is read', () => {
    const [version, entry] = ['1.1.0', '/home/ann/tandem/bin/tandem.js'];
    expect(recordChanges(record, { ...record, program: { ...record.program!, version } })).toEqual([
      'Tandem 1.1.0 in place of 1.0.0',
    ]);
    expect(recordChanges(record, { ...record, program: { ...record.program!, entry } })).toEqual([
      `the Tandem of ${entry}`,
    ]);
    expect(recordChanges(record, { ...record, timing: 'aws', configPath: '/shop/other.ts' })).toEqual([
      'the config file /shop/other.ts',
      'timing aws',
    ]);
  });
});
