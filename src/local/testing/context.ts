import { join } from 'node:path';
import { seededRandom } from '../../core/random.ts';
import { configSchema, type ConfigInput } from '../../model/config/schema.ts';
import { systemClock } from '../../platform/clock.ts';
import { openDatabase } from '../../platform/database.ts';
import { mkdirSync } from '../../platform/files.ts';
import type { ServiceContext } from '../context.ts';
import { createEventLog } from '../telemetry/event-log.ts';
import { createLogStore } from '../telemetry/log-store.ts';

/**
 * A real context over a temporary folder, for tests of one service: everything has a default, so that a test
 * names only what it is about. Two contexts on one folder see the same data: that is how tests imitate a restart.
 */
export function testContext(
  folder: string,
  overrides: Partial<Omit<ServiceContext, 'config' | 'folder'>> & { config?: Partial<ConfigInput> } = {},
): ServiceContext {
  const { config, ...rest } = overrides;
  const region = rest.region ?? 'us-east-1';
  const regionFolder = join(folder, region);
  const serviceFolder = join(regionFolder, 'service');
  mkdirSync(serviceFolder, { recursive: true });
  const clock = rest.clock ?? systemClock;
  const database = rest.database ?? openDatabase(join(regionFolder, 'region.db'));
  const resolved = configSchema.parse({ application: 'storefront', ...config });
  return {
    region,
    config: resolved,
    timing: 'fast',
    folder: serviceFolder,
    database,
    clock,
    random: seededRandom(1),
    events: createEventLog(database, region, resolved.logs.retentionDays, clock),
    logs: createLogStore(database, resolved.logs.retentionDays, clock),
    peers: [],
    endpoint: 'http://127.0.0.1:1',
    internalToken: 'test-token',
    ...rest,
  };
}
