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
    /0 to 100/,
  ],
  ['no backup', { database: { backupDays: 0 } }, 'database.backupDays', '0', /1 to 35/],
  [
    'a rest of two hours',
    { scaling: { scaleInCooldownSeconds: 7200 } },
    'scaling.scaleInCooldownSeconds',
    '7200',
    /3600/,
  ],
];

expectFaults(...TIMES);

expectNoFaults(['a time zone of two levels', schedules({ timeZone: 'America/Argentina/Ushuaia' })]);
