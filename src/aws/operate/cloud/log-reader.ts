import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../core/duration.ts';
import type { Instant } from '../../../core/instant.ts';
import type { LogQuery } from '../../../model/cloud.ts';
import type { LogEvent } from '../../../model/event.ts';
import type { Clock } from '../../../platform/clock.ts';
import { readAccessLog } from './access-log-reader.ts';
import { polledStream } from './polled-stream.ts';
import type { RegionCalls } from './region-calls.ts';
import type { RegionPlaces } from './region-places.ts';

interface LogGroup {
  /** `production`, or `build`. */
  group: string;
  logGroupName: string;
  /** What is no part of a stream's name for a person. */
  prefix: string;
}

type Line = Omit<LogEvent, 'sequence'> & { key: string };

/** How far back the newest lines are looked for, in steps: a busy group has enough of them in the first. */
const STEPS_MS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS];
const DEFAULT_LIMIT = 100;

/**
 * What tasks wrote, and the builds that made and released images, by environment and build as locally; by name only, what
 * load balancers did.
 *
 * A follower asks, though CloudWatch has StartLiveTail to listen to: that shows no more than 500 lines a second and drops the
 * others, and costs 0.60 USD an hour for each region, where FilterLogEvents costs nothing and drops none.
 */
export function readLogs(
  { calls, places, clock }: { calls: RegionCalls; places: RegionPlaces; clock: Clock },
  query: LogQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEvent> {
  const matches = matcherOf(query.contains);
  if (query.group === 'balancer') {
    return readAccessLog({ calls, places, clock }, { ...query, matches }, signal);
  }
  const groups = groupsOf(places).filter(({ group }) => query.group === undefined || group === query.group);
  const between = async (from: Instant, to: Instant | undefined): Promise<Line[]> => {
    const found = await Promise.all(groups.map(group => readGroup(calls, group, { query, from, to })));
    return found.flat().filter(({ message }) => matches(message));
  };
  return withoutKeys(
    polledStream<Line>(
      {
        newest: limit => newestLines(between, { limit, since: query.since, now: clock.now() }),
        since: from => between(from, undefined),
        keyOf: ({ key }) => key,
      },
      {
        ...(query.after !== undefined && { after: query.after }),
        limit: query.limit ?? DEFAULT_LIMIT,
        follow: query.follow ?? false,
        clock,
        signal,
      },
    ),
  );
}

async function* withoutKeys(lines: AsyncIterable<Line & { sequence: number }>): AsyncGenerator<LogEvent> {
  for await (const { key: _key, ...line } of lines) yield line;
}

function groupsOf({ services, projects }: RegionPlaces): LogGroup[] {
  return [
    ...services.map(({ environment, logGroup, container }) => ({
      group: environment,
      logGroupName: logGroup,
      prefix: `task/${container}/`,
    })),
    ...projects.map(project => ({ group: 'build', logGroupName: `/aws/codebuild/${project}`, prefix: '' })),
  ];
}

function matcherOf(contains: string | undefined): (message: string) => boolean {
  const wanted = contains?.toLowerCase();
  return message => wanted === undefined || message.toLowerCase().includes(wanted);
}

async function newestLines(
  between: (from: Instant, to: Instant | undefined) => Promise<Line[]>,
  { limit, since, now }: { limit: number; since: Instant | undefined; now: Instant },
): Promise<Line[]> {
  let found: Line[] = [];
  let to: Instant | undefined;
  const starts = since === undefined ? STEPS_MS.map(step => now - step) : [since];
  for (const from of starts) {
    found = [...(await between(from, to)), ...found];
    if (found.length >= limit) break;
    to = from;
  }
  return found;
}

async function readGroup(
  calls: RegionCalls,
  { group, logGroupName, prefix }: LogGroup,
  { query, from, to }: { query: LogQuery; from: Instant; to: Instant | undefined },
): Promise<Line[]> {
  const logStreamNamePrefix = `${prefix}${query.stream ?? ''}`;
  return calls.ask(CloudWatchLogsClient, 'logs:FilterLogEvents', async client => {
    const found: Line[] = [];
    const pages = paginateFilterLogEvents(
      { client },
      {
        logGroupName,
        startTime: from,
        ...(to !== undefined && { endTime: to - 1 }),
        ...(logStreamNamePrefix !== '' && { logStreamNamePrefix }),
      },
    );
    try {
      for await (const { events = [] } of pages) {
        for (const { timestamp = 0, message = '', logStreamName = '', eventId } of events) {
          found.push({
            at: timestamp,
            group,
            stream: logStreamName.slice(prefix.length),
            message: message.trimEnd(),
            key: `${logGroupName} ${logStreamName} ${eventId ?? `${timestamp} ${message}`}`,
          });
        }
      }
    } catch (error) {
      // Nothing has been written there yet.
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    return found;
  });
}
