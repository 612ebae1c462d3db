import { formatDuration } from '../core/duration.ts';
import type { Instant } from '../core/instant.ts';
import type { RegionStatus } from '../model/status.ts';

/** What a region's address shows in a browser or to curl: who it is, what it runs, and where everything is. */
export function renderOverview(status: RegionStatus, now: Instant): string {
  const { region, health, problems, endpoint, gitUrl, services, execution, replication } = status;
  const rows = [
    ...problems.map(problem => ['problem', problem]),
    ...services.map(({ name, url, release, running, desired }) => [
      name,
      `${release?.commit.slice(0, 7) ?? 'nothing'}, ${running} of ${desired} tasks, ${url}`,
    ]),
    ...(execution === undefined
      ? []
      : [
          [
            'execution',
            `#${execution.number} ${execution.id.slice(0, 8)} ${execution.status} in ${execution.stage}: ` +
              `${execution.commit.id.slice(0, 7)} ${execution.commit.subject}, ` +
              `${formatDuration(now - execution.startedAt)} ago`,
          ],
          ...(execution.waiting === undefined ? [] : [['', `waits for ${execution.waiting.for}`]]),
          ...(execution.cause === undefined ? [] : [['', execution.cause]]),
        ]),
    ...replication.map(({ peer, state }) => ['replication', `${peer}: ${state}`]),
    ['git', gitUrl],
    ['registry', `${endpoint}/v2/`],
    ['API', `${endpoint}/api/openapi.json`],
  ];
  const lines = rows.map(([label = '', text = '']) => `  ${label.padEnd(12)} ${text}`.trimEnd());
  return [`Tandem, region ${region}: ${health}`, '', ...lines, ''].join('\n');
}
