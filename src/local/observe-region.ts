import { errorMessage } from '../core/error.ts';
import { MINUTE_MS } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { RegionOperations } from '../model/cloud.ts';
import { environmentConfig } from '../model/config/environment.ts';
import type { Config } from '../model/config/schema.ts';
import type { ServiceStatus } from '../model/deployment.ts';
import type {
  BuildObservation,
  RegionObservation,
  ServiceObservation,
  TaskStop,
} from '../model/diagnosis.ts';
import type { RegionEvent } from '../model/event.ts';
import type { Execution } from '../model/execution.ts';
import type { RegionName } from '../model/names.ts';

const EVENTS_READ = 500;
const EXECUTIONS_READ = 20;
const LINES_READ = 100;

interface ObserveRequest {
  region: RegionName;
  operations: RegionOperations;
  config: Config;
  now: Instant;
}

/** What a local region shows through its API. A region that does not answer is an observation of nothing but that. */
export async function observeRegion({
  region,
  operations,
  config,
  now,
}: ObserveRequest): Promise<RegionObservation> {
  const nothing = { region, at: now, services: [], replication: [], locks: [] };
  try {
    const [status, executions, events] = await Promise.all([
      operations.status(),
      operations.executions({ limit: EXECUTIONS_READ }),
      collect(operations.events({ limit: EVENTS_READ })),
    ]);
    const build = observeBuild(executions, config);
    return {
      ...nothing,
      services: await Promise.all(
        status.services.map(service => observeService(service, { operations, config, events })),
      ),
      ...(build && { build }),
      replication: status.replication.map(each => ({
        ...each,
        commands: {
          events: `tandem events --region ${region}`,
          peer: `tandem status --region ${each.peer}`,
          merge: '`tandem status` has the commands',
        },
      })),
      unseen: status.problems.map(reason => ({ what: 'the region', reason })),
    };
  } catch (error) {
    return { ...nothing, unseen: [{ what: 'the region', reason: errorMessage(error) }] };
  }
}

interface Surroundings {
  operations: RegionOperations;
  config: Config;
  events: readonly RegionEvent[];
}

async function observeService(
  { name, desired, running, healthyTargets }: ServiceStatus,
  { operations, config, events }: Surroundings,
): Promise<ServiceObservation> {
  const lines = await collect(operations.logs({ group: name, limit: LINES_READ }));
  return {
    environment: name,
    desired,
    running,
    memoryMb: environmentConfig(config, name).service.memoryMb,
    healthyTargets,
    otherTargets: [],
    stops: stopsOf(events, name),
    logs: lines.map(({ message }) => message),
    commands: { logs: `tandem logs ${name}`, rollBack: 'tandem rollback' },
  };
}

function stopsOf(events: readonly RegionEvent[], service: string): TaskStop[] {
  return events
    .filter(({ type, data }) => type === 'TaskStopped' && data['service'] === service)
    .map(({ at, data }) => ({
      taskId: textOf(data['taskId']),
      at,
      reason: textOf(data['stoppedReason']),
      ...(typeof data['exitCode'] === 'number' && { exitCode: data['exitCode'] }),
    }))
    .reverse();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The newest execution that came as far as building, against those that built before it. */
function observeBuild(executions: readonly Execution[], config: Config): BuildObservation | undefined {
  const [newest, ...earlier] = executions.flatMap(execution => {
    const stage = execution.stages.find(({ name, startedAt }) => name === 'Build' && startedAt !== undefined);
    return stage === undefined ? [] : [{ execution, stage }];
  });
  if (!newest) return undefined;
  const { execution, stage } = newest;
  const durations = earlier
    .filter(({ stage: { status, endedAt } }) => status === 'Succeeded' && endedAt !== undefined)
    .map(({ stage: { startedAt, endedAt } }) => endedAt! - startedAt!)
    .sort((a, b) => a - b);
  const usualMs = durations[Math.floor(durations.length / 2)];
  const status = BUILD_STATUS[stage.status];
  const cause = execution.stage === 'Build' ? execution.cause : undefined;
  return {
    id: `#${execution.number}`,
    status: status ?? 'stopped',
    startedAt: stage.startedAt!,
    timeoutMs: config.build.timeoutMinutes * MINUTE_MS,
    ...(usualMs !== undefined && { usualMs }),
    ...(cause !== undefined && { cause }),
    commands: { logs: 'tandem logs build', retry: 'tandem retry', stop: 'tandem stop --abandon' },
  };
}

const BUILD_STATUS: Readonly<Record<string, BuildObservation['status']>> = {
  InProgress: 'running',
  Succeeded: 'succeeded',
  Failed: 'failed',
};

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
