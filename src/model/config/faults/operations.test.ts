import { expectFaults, expectNoFaults, type Row } from './expect-faults.ts';

const OPERATIONS: Row[] = [
  [
    'a branch that git refuses',
    { pipeline: { branch: 'a..b' } },
    'pipeline.branch',
    '"a..b"',
    /as git allows it/,
  ],
  [
    'a buildspec elsewhere',
    { build: { buildspec: '../b.yml' } },
    'build.buildspec',
    '"../b.yml"',
    /inside the repository/,
  ],
  [
    'an address with a name',
    { notifications: { emails: ['<ada@a.io>'] } },
    'notifications.emails[0]',
    '"<ada@a.io>"',
    /e-mail/,
  ],
  [
    'an address twice',
    { notifications: { emails: ['ada@a.io', 'ada@a.io'] } },
    'notifications.emails[1]',
    '"ada@a.io"',
    /once/,
  ],
  ['an alarm at no CPU', { alarms: { cpuPercent: 0 } }, 'alarms.cpuPercent', '0', /1 to 100/],
  [
    'an alarm at no time',
    { alarms: { responseTimeSeconds: 0 } },
    'alarms.responseTimeSeconds',
    '0',
    /above 0/,
  ],
  ['fractions of cents', { budget: { monthlyUsd: 1e-7 } }, 'budget.monthlyUsd', '1e-7', /whole cents/],
  [
    'endpoints that would be called the same',
    { network: { endpoints: ['ecr.api', 'ecr-api'] } },
    'network.endpoints[1]',
    '"ecr-api"',
    /each once/,
  ],
  ['a warning twice', { budget: { spentPercents: [80, 80] } }, 'budget.spentPercents[1]', '80', /once/],
  [
    'five warnings',
    { budget: { spentPercents: [1, 2, 3, 4, 5] } },
    'budget.spentPercents',
    'a list of 5',
    /at most 4/,
  ],
  ['rules twice', { waf: { ruleGroups: ['sql', 'sql'] } }, 'waf.ruleGroups[1]', '"sql"', /once/],
  [
    'a limit of five requests',
    { waf: { requestsPerClient: 5 } },
    'waf.requestsPerClient',
    '5',
    /10 to 2000000000/,
  ],
];

expectFaults(...OPERATIONS);

expectNoFaults(
  ['branches with a slash', { pipeline: { branch: 'release/2.0' } }],
  ['a buildspec in a folder', { build: { buildspec: 'delivery/buildspec..yml' } }],
  ['a plus in an address', { notifications: { emails: ["o'hara+ops@mail.example.co.uk"] } }],
  ['cents', { budget: { monthlyUsd: 19.99 } }],
);
