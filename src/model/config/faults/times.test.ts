import { expectFaults, expectNoFaults, type Row } from './expect-faults.ts';

const NIGHT = { name: 'night', schedule: 'rate(1 day)', minimumCount: 1, maximumCount: 2 };
const schedules = (...given: object[]) => ({
  scaling: { schedules: given.map(one => ({ ...NIGHT, ...one })) },
});

const TIMES: Row[] = [
  [
    'cron with a weekday that there is not',
    schedules({ schedule: 'cron(0 20 ? * MUN *)' }),
    'scaling.schedules[0].schedule',
    '"cron(0 20 ? * MUN *)"',
    /day of week from 1 to 7 or SUN to SAT/,
  ],
  ['a schedule’s name twice', schedules({}, {}), 'scaling.schedules[1].name', '"night"', /once/],
  [
    'a schedule’s minimum above its maximum',
    schedules({ minimumCount: 3 }),
    'scaling.schedules[0].minimumCount',
    '3',
    /at most maximumCount \(2\)/,
  ],
  [
    'an offset for a time zone',
    schedules({ timeZone: '+02:00' }),
    'scaling.schedules[0].timeZone',
    '"+02:00"',
    /Europe\/Berlin/,
  ],
  [
    'a time zone that there is not',
    schedules({ timeZone: 'Europe/Bärlin' }),
    'scaling.schedules[0].timeZone',
    '"Europe/Bärlin"',
    /Europe\/Berlin/,
  ],
  [
    'days that CloudWatch does not know',
    { logs: { retentionDays: 10 } },
    'logs.retentionDays',
    '10',
    /1, 3, 5, 7, 14/,
  ],
  [
    'a build of three days',
    { build: { timeoutMinutes: 4320 } },
    'build.timeoutMinutes',
    '4320',
    /at most 2160/,
  ],
  [
    'an approval that waits too long',
    { pipeline: { approval: { expiresAfterDays: 31 } } },
    'pipeline.approval.expiresAfterDays',
    '31',
    /at most 30/,
  ],
  [
    'a bake of two days',
    { deployment: { bakeTimeMinutes: 2880 } },
    'deployment.bakeTimeMinutes',
    '2880',
    /0 to 1440/,
  ],
  [
    'a step that waits for requests for a day',
    { deployment: { samples: { withinMinutes: 1440 } } },
    'deployment.samples.withinMinutes',
    '1440',
    /1 to 720/,
  ],
  [
    'a flood of requests of its own',
    { deployment: { samples: { syntheticPerSecond: 1000 } } },
    'deployment.samples.syntheticPerSecond',
    '1000',
    /0\.1 to 100, or 0/,
  ],
  ['no backup', { database: { backupDays: 0 } }, 'database.backupDays', '0', /1 to 35/],
  [
    'a rest of two hours',
    { scaling: { scaleInCooldownSeconds: 7200 } },
    'scaling.scaleInCooldownSeconds',
    '7200',
    /3600/,
  ],
  [
    'a time zone in small letters',
    schedules({ timeZone: 'europe/berlin' }),
    'scaling.schedules[0].timeZone',
    '"europe/berlin"',
    /Europe\/Berlin/,
  ],
  [
    'a request of its own in a thousand years',
    { deployment: { samples: { syntheticPerSecond: 1e-7 } } },
    'deployment.samples.syntheticPerSecond',
    '1e-7',
    /0\.1 to 100, or 0/,
  ],
  [
    'equal steps of four hours',
    { deployment: { strategy: 'linear', linear: { stepBakeTimeMinutes: 240 } } },
    'deployment.linear.stepBakeTimeMinutes',
    '240',
    /2040 minutes together.* these are 2300/,
  ],
  [
    'steps of a day',
    {
      deployment: {
        strategy: 'canary',
        canary: {
          steps: [
            { percent: 10, bakeTimeMinutes: 1440 },
            { percent: 50, bakeTimeMinutes: 1440 },
          ],
        },
      },
    },
    'deployment.canary.steps',
    '[{"percent":10,"bakeTimeMinutes":1440},{"percent":50,"bakeTimeMinutes":1440}]',
    /2040 minutes together/,
  ],
  [
    'a strategy that makes steps too long in one environment',
    {
      deployment: { linear: { stepBakeTimeMinutes: 240 } },
      environments: { production: { deployment: { strategy: 'linear' } } },
    },
    'environments.production.deployment.strategy',
    '"linear"',
    /2040 minutes together/,
  ],
];

expectFaults(...TIMES);

expectNoFaults(['a time zone of two levels', schedules({ timeZone: 'America/Argentina/Ushuaia' })]);
