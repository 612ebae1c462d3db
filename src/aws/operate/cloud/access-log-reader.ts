import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/duration.ts';
import { errorMessage, TandemError } from '../../../core/error.ts';
import type { Instant } from '../../../core/instant.ts';
import type { LogQuery } from '../../../model/cloud.ts';
import type { LogEvent } from '../../../model/event.ts';
import { delay, type Clock } from '../../../platform/clock.ts';
import { readAccessLogLine } from './access-log-line.ts';
import {
  isDamage,
  listAccessLog,
  readAccessLogObject,
  type AccessLogObject,
  type AccessLogPlace,
} from './access-log-objects.ts';
import { mergedByTime } from './merged-by-time.ts';
import type { RegionCalls } from './region-calls.ts';
import type { RegionPlaces } from './region-places.ts';

/*
 * The requests at a region's load balancers, as far as they wrote them down ("Access logs for your Application Load Balancer"
 * promises no more). What they did they store every five minutes, each node in files of its own.
 *
 * A follower shows files as they are stored, since a late one is older than what was shown before: a line's sequence is the
 * second that its file was stored in, and its place among the lines of that second. So it resumes exactly behind the last
 * line that it saw, even in the middle of a file.
 */

interface AccessLogSources {
  calls: RegionCalls;
  places: Pick<RegionPlaces, 'services' | 'accessLogs'>;
  clock: Clock;
}

type Line = Omit<LogEvent, 'sequence'>;

/** A query, and where its answer lies. */
interface Search extends AccessLogSources {
  place: AccessLogPlace;
  query: LogQuery;
  matches(message: string): boolean;
  signal: AbortSignal | undefined;
}

const DEFAULT_LIMIT = 100;
/** How far back is looked without `since`: a busy load balancer writes gigabytes a day, and every one is transferred. */
const DEFAULT_RANGE_MS = DAY_MS;
/** To be told of new files would take a queue of one's own; to ask so often costs a few cents a day. */
const POLL_MS = 30 * SECOND_MS;
/** By then no other file will have been stored in the same second. */
const SETTLED_MS = 15 * SECOND_MS;
/** The name of a file has no seconds. */
const ROUNDING_MS = MINUTE_MS;
/** A file may lie under the day that its five minutes ended on, and be stored on the next. */
const LATENESS_MS = HOUR_MS;
/** How many lines the files of one second have numbers for. */
const PLACES = 1_000_000;
/** A client has 50 connections, and a file that is open has one. */
const OPEN_FILES = 16;

/** Throws ACCESS_LOGS_OFF or ACCESS_LOGS_MISSING where there are none to read. */
export async function* readAccessLog(
  sources: AccessLogSources,
  query: LogQuery & { matches(message: string): boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEvent> {
  const { calls, places, clock } = sources;
  const { accessLogs: place } = places;
  if (place === undefined) {
    throw new TandemError(
      'ACCESS_LOGS_OFF',
      `the load balancers in ${calls.region} keep no log of requests: set \`logs.accessLogs\` to true, and ` +
        '`tandem deploy --target aws`; what comes in from then on is logged',
      { data: { region: calls.region } },
    );
  }
  const search: Search = { ...sources, place, query, matches: query.matches, signal };
  let shown = query.after;
  if (shown === undefined) {
    shown = yield* showNewest(search);
    if (!query.follow) return;
  }
  do {
    shown = yield* showStoredAfter(search, shown);
  } while (query.follow && (await hasPaused(clock, signal)));
}

function hasPaused(clock: Clock, signal: AbortSignal | undefined): Promise<boolean> {
  return delay(clock, POLL_MS, signal).then(
    () => true,
    () => false,
  );
}

/** Gives the sequence that everything stored later comes behind. */
async function* showNewest(search: Search): AsyncGenerator<LogEvent, number> {
  const { clock, query } = search;
  const from = query.since ?? clock.now() - DEFAULT_RANGE_MS;
  const objects = (await list(search, from)).filter(
    object => !query.follow || isSettled(object, clock.now()),
  );
  const last = lastOf(secondOf(Math.max(from, ...objects.map(({ storedAt }) => storedAt))));
  const lines = await newestLines(
    search,
    objects.filter(({ endsAt }) => endsAt + ROUNDING_MS >= from),
  );
  for (const [index, line] of lines.entries()) yield { ...line, sequence: last - lines.length + 1 + index };
  return last;
}

/** From the last five minutes backwards, until there are enough. */
async function newestLines(search: Search, objects: readonly AccessLogObject[]): Promise<Line[]> {
  const limit = search.query.limit ?? DEFAULT_LIMIT;
  const periods = [...Map.groupBy(objects, ({ endsAt }) => endsAt)].toSorted(([one], [other]) => other - one);
  let found: Line[] = [];
  for (const [, files] of periods) {
    if (found.length >= limit) break;
    let ofPeriod: Line[] = [];
    for await (const line of read(search, files)) {
      ofPeriod.push(line);
      if (ofPeriod.length >= 2 * limit) ofPeriod = newest(ofPeriod, limit);
    }
    found = [...ofPeriod, ...found];
  }
  return newest(found, limit);
}

function newest(lines: readonly Line[], limit: number): Line[] {
  return lines.toSorted((one, other) => one.at - other.at).slice(-limit);
}

async function* showStoredAfter(search: Search, after: number): AsyncGenerator<LogEvent, number> {
  let shown = after;
  const now = search.clock.now();
  const from = Math.floor(after / PLACES) * SECOND_MS;
  const objects = (await list(search, from - LATENESS_MS)).filter(
    object => lastOf(secondOf(object.storedAt)) > after && isSettled(object, now),
  );
  const seconds = [...Map.groupBy(objects, ({ storedAt }) => secondOf(storedAt))];
  for (const [second, files] of seconds.toSorted(([one], [other]) => one - other)) {
    let sequence = second * PLACES;
    for await (const line of read(search, files)) {
      if (sequence > after) yield { ...line, sequence };
      sequence += 1;
    }
    shown = lastOf(second);
  }
  return shown;
}

function isSettled({ storedAt }: AccessLogObject, now: Instant): boolean {
  return storedAt <= now - SETTLED_MS;
}

function secondOf(at: Instant): number {
  return Math.floor(at / SECOND_MS);
}

function lastOf(second: number): number {
  return second * PLACES + PLACES - 1;
}

function list({ calls, places, place, query, clock }: Search, from: Instant): Promise<AccessLogObject[]> {
  const environments = places.services
    .map(({ environment }) => environment)
    .filter(environment => environment.startsWith(query.stream ?? ''));
  return listAccessLog(calls, place, { environments, from, to: clock.now() });
}

/** The lines that are asked for, in the order of time, the same at each reading. */
async function* read(search: Search, objects: readonly AccessLogObject[]): AsyncGenerator<Line> {
  const inOrder = objects.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  for (let start = 0; start < inOrder.length; start += OPEN_FILES) {
    const files = inOrder.slice(start, start + OPEN_FILES);
    for await (const line of mergedByTime(files.map(file => readFile(search, file)))) {
      if (search.signal?.aborted) return;
      yield line;
    }
  }
}

/** A damaged file is itself worth a line; the rest is still told. */
async function* readFile(
  { calls, query: { since = 0 }, matches }: Search,
  object: AccessLogObject,
): AsyncGenerator<Line> {
  const origin = { group: 'balancer', stream: object.environment };
  try {
    for await (const text of readAccessLogObject(calls, object)) {
      const { at, message } = readAccessLogLine(text) ?? { at: object.endsAt, message: text };
      if (at >= since && matches(message)) yield { ...origin, at, message };
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    const path = `s3://${object.bucket}/${object.key}`;
    const message =
      `lines are missing here, because a file is damaged (${errorMessage(error)}): ` +
      `\`aws s3 cp ${path} - | zcat\` shows what is left of it`;
    yield { ...origin, at: object.endsAt, message };
  }
}
