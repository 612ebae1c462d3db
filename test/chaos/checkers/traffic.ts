import type { History } from '../history.ts';

/** Production answered throughout: requests were lost only while their region's load balancer was down. */
export function checkTraffic(history: History): string[] {
  return history.traffic
    .filter(
      ({ region, sentAt, lostAt }) =>
        !history.outages.some(
          outage => outage.region === region && lostAt >= outage.from && sentAt <= outage.until,
        ),
    )
    .map(({ region, lostAt, how }) => `${region} lost a request at ${Math.round(lostAt)} ms: ${how}`);
}
