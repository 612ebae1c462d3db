import { describe, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { RequestLog } from './request-log.ts';

const MESSAGE = 'x'.repeat(1_000);

describe('the request log', () => {
  test('gives what has come as one batch, and waits where nothing has', async () => {
    const log = new RequestLog(systemClock);
    const batch = log.next(0);
    log.add('production', 'one');
    log.add('staging', 'two');
    expect(textsOf((await batch).lines)).toEqual(['production one', 'staging two']);
  });

  test('gives a batch again until it is said to be stored', async () => {
    const log = new RequestLog(systemClock);
    log.add('production', 'one');
    const first = await log.next(0);
    log.add('production', 'two');
    expect(await log.next(0)).toEqual(first);
    expect(textsOf((await log.next(first.number)).lines)).toEqual(['production two']);
  });

  test('loses nothing to a reader that went while it waited', async () => {
    const log = new RequestLog(systemClock);
    const gone = log.next(0);
    log.add('production', 'one');
    const { number } = await gone;
    const again = await log.next(0);
    expect(textsOf(again.lines)).toEqual(['production one']);
    const waiting = log.next(number);
    const other = log.next(number);
    expect((await waiting).lines).toHaveLength(0);
    log.add('production', 'two');
    expect(textsOf((await other).lines)).toEqual(['production two']);
  });

  test('counts what it has no room for, and says so where it is missing', async () => {
    const log = new RequestLog(systemClock);
    log.add('production', 'the first');
    const { number } = await log.next(0);
    for (let count = 0; count < 2_000; count += 1) log.add('production', MESSAGE);
    log.add('staging', MESSAGE);
    const kept = await log.next(number);
    expect(kept.lines.length).toBeLessThanOrEqual(1_048_576);
    const texts = textsOf(kept.lines);
    const lines = texts.filter(text => text === `production ${MESSAGE}`).length;
    expect(lines).toBeGreaterThan(900);
    expect(texts.slice(lines)).toEqual([
      `production ${2_000 - lines} requests not logged: they came faster than lines could be stored`,
      'staging 1 request not logged: they came faster than lines could be stored',
    ]);
    log.add('production', 'later');
    expect(textsOf((await log.next(kept.number)).lines)).toEqual(['production later']);
  });

  test('does not grow, however much comes that nobody takes', () => {
    const log = new RequestLog(systemClock);
    log.add('production', MESSAGE);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 50_000; count += 1) log.add('production', MESSAGE);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_048_576);
  });

  test('is drained once all is stored, or the time for it is over', async () => {
    const log = new RequestLog(systemClock);
    await log.drain(60_000);
    const busy = new RequestLog(systemClock);
    busy.add('production', 'one');
    const drained = busy.drain(60_000);
    const { number } = await busy.next(0);
    void busy.next(number);
    await drained;
    const alone = new RequestLog(systemClock);
    alone.add('production', 'one');
    await alone.drain(10);
  });
});

function textsOf(lines: Buffer): string[] {
  return lines
    .toString('latin1')
    .trimEnd()
    .split('\n')
    .map(line => line.slice(line.indexOf(' ') + 1));
}
