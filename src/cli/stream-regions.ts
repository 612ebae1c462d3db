import { SECOND_MS } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { Cloud, RegionOperations } from '../model/cloud.ts';
import type { RegionName } from '../model/names.ts';
import { delay } from '../platform/clock.ts';
import type { CommandContext } from './context.ts';
import { isLostContact, type ExitCode } from './exit-code.ts';
import { printError } from './failures.ts';
import { answered, askRegions, reportFailures } from './regions.ts';

interface Streamed {
  at: Instant;
  sequence: number;
}

const RETRY_MS = SECOND_MS;

export interface StreamRequest<Item extends Streamed> {
  cloud: Cloud;
  regions: readonly RegionName[];
  /** Opens the stream of one region; `after` resumes behind the last item seen. */
  open(operations: RegionOperations, after: number | undefined, signal: AbortSignal): AsyncIterable<Item>;
  onItem(region: RegionName, item: Item): void;
  /** Told once each time that contact is lost; by default it is printed as the error that it is. */
  onLost?(region: RegionName): void;
}

/** Reads what every region has, and shows it in the order of time. */
export async function readRegions<Item extends Streamed>(
  context: CommandContext,
  { cloud, regions, open, onItem }: StreamRequest<Item>,
): Promise<ExitCode> {
  const never = new AbortController().signal;
  const answers = await askRegions(cloud, regions, async operations => {
    const items: Item[] = [];
    for await (const item of open(operations, undefined, never)) items.push(item);
    return items;
  });
  const items = answered(answers).flatMap(({ region, value }) => value.map(item => ({ region, item })));
  items.sort((left, right) => left.item.at - right.item.at);
  for (const { region, item } of items) onItem(region, item);
  return reportFailures(context, answers);
}

/** Follows every region, each through any loss of contact without missing an item, until the signal aborts. */
export async function followRegions<Item extends Streamed>(
  context: CommandContext,
  { cloud, regions, open, onItem, onLost }: StreamRequest<Item>,
  signal: AbortSignal,
): Promise<void> {
  const followRegion = async (region: RegionName): Promise<void> => {
    let after: number | undefined;
    let isLost = false;
    while (!signal.aborted) {
      try {
        for await (const item of open(cloud.region(region), after, signal)) {
          if (isLost) context.note(`${region}: contact is back`);
          isLost = false;
          after = item.sequence;
          onItem(region, item);
        }
      } catch (error) {
        if (!isLostContact(error)) throw error;
        if (!isLost && onLost) onLost(region);
        else if (!isLost) printError(context.stderr, context.progressPaint, error, region);
        isLost = true;
      }
      await delay(context.clock, RETRY_MS, signal).catch(() => undefined);
    }
  };
  await Promise.all(regions.map(followRegion));
}

/** Runs until Ctrl-C, which is how following is meant to end. */
export async function untilInterrupted(
  context: CommandContext,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const watching = new AbortController();
  const release = context.onInterrupt(() => watching.abort());
  try {
    await work(watching.signal);
  } finally {
    release();
  }
}
