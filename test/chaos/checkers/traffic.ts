import { formatInstant } from '../../../src/core/instant.ts';
import type { History, Outage } from '../history.ts';

/** Production answered throughout: requests were lost only while their region's load balancer was down. */
export function checkTraffic(history: History): string[] {
  return history.traffic
    .filter(
      ({ region, sentAt, lostAt }) =>
        !history.outages.some(
          outage => outage.region === region && lostAt >= outage.from && sentAt <= outage.until,
        ),
    )
    .map(({ region, lostAt, how }) => {
      const before = history.outages.findLast(outage => outage.region === region && outage.from <= lostAt);
      return `${region} lost a request at ${formatInstant(lostAt)}, ${describe(before)}: ${how}`;
    });
}

function describe(before: Outage | undefined): string {
  if (!before) return 'before any outage';
  return `after the outage from ${formatInstant(before.from)} to ${formatInstant(before.until)}`;
}
