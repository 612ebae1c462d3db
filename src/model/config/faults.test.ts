import { describe, expect, test } from 'vitest';
import type { ConfigInput } from './schema.ts';
import { validateConfig } from './validate.ts';

/*
 * What AWS or Terraform would refuse, found in the file instead: what is written, the key, what the fault says was
 * found, and a part of what it says is allowed.
 */
type Row = [what: string, written: object, path: string, found: string, allowed: RegExp];

const ZONE = 'Z0123456789ABC';
const DOMAIN = { name: 'shop.example.com', zoneId: ZONE };
const EVERY_REGION = [
  ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'af-south-1', 'ap-east-1', 'ap-northeast-1'],
  ['ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2'],
  ['ap-southeast-3', 'ap-southeast-4', 'ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2'],
  ['eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1'],
  ['sa-east-1'],
].flat();

const NAMES: Row[] = [
  ['capitals in a name', { application: 'Shop' }, 'application', '"Shop"', /lower-case/],
  ['two hyphens in a row', { application: 'my--shop' }, 'application', '"my--shop"', /single hyphens/],
  ['a name of one letter', { application: 's' }, 'application', '"s"', /2 to 31/],
  ['a customer that ends so', { customer: 'acme-' }, 'customer', '"acme-"', /no hyphen last/],
  [
    'names too long for a load balancer together',
    { application: 'wholesale-storefront', customer: 'acme' },
    'aws.namePrefix',
    'nothing',
    /leave 21 characters, and these are 25/,
  ],
  [
    'a longer prefix',
    { aws: { namePrefix: 'x'.repeat(22) } },
    'aws.namePrefix',
    `"${'x'.repeat(22)}"`,
    /2 to 21/,
  ],
  ['how no load balancer begins', { application: 'internal-shop' }, 'aws.namePrefix', 'nothing', /internal-/],
  [
    'how no security group begins',
    { customer: 'sg', application: 'shop' },
    'aws.namePrefix',
    'nothing',
    /sg-/,
  ],
  [
    'the same, the prefix alone',
    { aws: { namePrefix: 'internal' } },
    'aws.namePrefix',
    '"internal"',
    /internal-/,
  ],
  [
    'an account of 11 digits',
    { aws: { accountId: '12345678901' } },
    'aws.accountId',
    '"12345678901"',
    /12 digits/,
  ],
  ['a sign that no tag takes', { owner: 'a&b' }, 'owner', '"a&b"', /1 to 256/],
  ['a tag of AWS’s own', { costCenter: 'aws:cost' }, 'costCenter', '"aws:cost"', /not beginning with aws:/],
  ['a tag with a space last', { owner: 'platform ' }, 'owner', '"platform "', /no space first or last/],
];

const PLACES: Row[] = [
  ['an unknown region', { regions: ['us-west-9'] }, 'regions[0]', '"us-west-9"', /one of "us-east-1"/],
  ['a region twice', { regions: ['us-east-1', 'us-east-1'] }, 'regions[1]', '"us-east-1"', /each once/],
  ['no region', { regions: [] }, 'regions', '[]', /at least 1/],
  [
    'more regions than a registry copies to',
    { regions: EVERY_REGION },
    'regions',
    'a list of 27',
    /at most 26/,
  ],
  ['a block out of range', { network: { firstBlock: 256 } }, 'network.firstBlock', '256', /0 to 255/],
  [
    'no block for the second region',
    { network: { firstBlock: 255 } },
    'network.firstBlock',
    '255',
    /at most 254/,
  ],
  ['a domain without a zone', { domain: { name: DOMAIN.name } }, 'domain.zoneId', 'nothing', /go together/],
  ['a zone without a domain', { domain: { zoneId: ZONE } }, 'domain.name', 'nothing', /go together/],
  [
    'a URL for a host name',
    { domain: { ...DOMAIN, name: 'https://a.b' } },
    'domain.name',
    '"https://a.b"',
    /host name/,
  ],
  [
    'a domain too long for a certificate',
    { domain: { ...DOMAIN, name: `${'a'.repeat(57)}.example` } },
    'domain.name',
    `"${'a'.repeat(57)}.example"`,
    /64 characters/,
  ],
  [
    'a zone by its name',
    { domain: { ...DOMAIN, zoneId: 'example.com' } },
    'domain.zoneId',
    '"example.com"',
    /Z0123/,
  ],
  [
    'a country that there is not',
    { routing: { locations: { 'us-east-1': ['country:XX'] } } },
    'routing.locations["us-east-1"][0]',
    '"country:XX"',
    /codes of Route 53/,
  ],
];

const SWITCHES: Row[] = [
  ['without a domain', {}],
  ['of three regions', { domain: DOMAIN, regions: ['us-east-1', 'us-west-2', 'eu-west-1'] }],
  ['by weight', { domain: DOMAIN, routing: { policy: 'weighted' } }],
].map(([what, written]) => [
  `a switch of regions ${what as string}`,
  {
    ...(written as object),
    routing: { ...(written as ConfigInput).routing, regionSwitch: { enabled: true } },
  },
  'routing.regionSwitch.enabled',
  'true',
  /two regions with a domain/,
]);

const SERVICES: Row[] = [
  ['memory that no cpu has', { service: { memoryMb: 700 } }, 'service.memoryMb', '700', /512, 1024, 2048/],
  ['a cpu that there is not', { service: { cpu: 300 } }, 'service.cpu', '300', /256, 512, 1024/],
  [
    'minimum above maximum',
    { service: { minimumCount: 11 } },
    'service.minimumCount',
    '11',
    /at most maximumCount/,
  ],
  [
    'more than may be wanted',
    { service: { desiredCount: 11 } },
    'service.desiredCount',
    '11',
    /maximumCount \(10\)/,
  ],
  [
    'more tasks than ECS has',
    { service: { maximumCount: 5001 } },
    'service.maximumCount',
    '5001',
    /1 to 5000/,
  ],
  [
    'minimum above maximum in one environment',
    { environments: { staging: { service: { minimumCount: 3, maximumCount: 2 } } } },
    'environments.staging.service.minimumCount',
    '3',
    /at most maximumCount \(2\)/,
  ],
  ['a port out of range', { service: { port: 65_536 } }, 'service.port', '65536', /1 to 65535/],
  [
    'a check that lasts until the next',
    { service: { healthCheck: { timeoutSeconds: 30 } } },
    'service.healthCheck.timeoutSeconds',
    '30',
    /less than intervalSeconds \(30\)/,
  ],
  [
    'a path with a space',
    { service: { healthCheck: { path: '/a b' } } },
    'service.healthCheck.path',
    '"/a b"',
    /space/,
  ],
  [
    'status codes the wrong way round',
    { service: { healthCheck: { matcher: '200,299-200' } } },
    'service.healthCheck.matcher',
    '"200,299-200"',
    /299-200 is not/,
  ],
  [
    'a stop that takes long',
    { service: { stopTimeoutSeconds: 121 } },
    'service.stopTimeoutSeconds',
    '121',
    /2 to 120/,
  ],
  [
    'variables beyond a task definition',
    { service: { environment: { BIG: 'x'.repeat(60_000) } } },
    'service.environment',
    `{"BIG":"${'x'.repeat(71)}…`,
    /56000 bytes/,
  ],
  [
    'the port of the collector',
    { monitoring: { collector: true }, service: { port: 4318 } },
    'service.port',
    '4318',
    /another port/,
  ],
  [
    'the name of the collector',
    { monitoring: { collector: true }, application: 'collector' },
    'application',
    '"collector"',
    /another name/,
  ],
];

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

const OTHERS: Row[] = [
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
  [
    'a version of another engine',
    { database: { engine: 'postgres', version: '8.4' } },
    'database.version',
    '"8.4"',
    /as `17`, for postgres/,
  ],
  [
    'a class that Aurora does not span regions with',
    { database: { engine: 'aurora-mysql', instanceClass: 'db.t4g.medium' } },
    'database.instanceClass',
    '"db.t4g.medium"',
    /db\.r6g\.large/,
  ],
  [
    'a key of one name',
    { database: { tableKeys: { range: 'pk' } } },
    'database.tableKeys.range',
    '"pk"',
    /another name/,
  ],
  [
    'a variable plain and secret',
    { service: { environment: { TOKEN: 'x' } }, secrets: { TOKEN: {} } },
    'secrets.TOKEN',
    '{}',
    /service\.environment/,
  ],
  [
    'the same in one environment',
    { environments: { staging: { service: { environment: { TOKEN: 'x' } } } }, secrets: { TOKEN: {} } },
    'secrets.TOKEN',
    '{}',
    /environments\.staging/,
  ],
  [
    'secrets alike but for capitals',
    { secrets: { TOKEN: {}, token: {} } },
    'secrets.token',
    '{}',
    /more than capitals/,
  ],
  [
    'a secret’s name too long',
    { secrets: { ['A'.repeat(201)]: {} } },
    `secrets.${'A'.repeat(201)}`,
    `the name "${'A'.repeat(78)}…`,
    /at most 200/,
  ],
  [
    'the database’s own password',
    { service: { environment: { DATABASE_PASSWORD: 'x' } }, database: { engine: 'mysql' } },
    'service.environment.DATABASE_PASSWORD',
    '"x"',
    /the database brings it/,
  ],
];

describe('a fault names its key, what was found and what is allowed:', () => {
  test.each([...NAMES, ...PLACES, ...SWITCHES, ...SERVICES, ...TIMES, ...OTHERS])(
    '%s',
    (_what, written, path, found, allowed) => {
      const { faults } = validateConfig({ application: 'shop', ...written });
      expect(faults).toHaveLength(1);
      expect(faults).toMatchObject([{ path, found }]);
      expect(faults![0]!.allowed).toMatch(allowed);
    },
  );
});

test.each<[string, Partial<ConfigInput>]>([
  ['a domain in another script', { domain: { name: 'xn--80ak6aa92e.xn--p1ai', zoneId: ZONE } }],
  ['the longest domain', { domain: { ...DOMAIN, name: `${'a'.repeat(56)}.example` } }],
  [
    'as many regions as a registry copies to',
    { regions: EVERY_REGION.slice(0, 26) as ConfigInput['regions'] },
  ],
  ['branches with a slash', { pipeline: { branch: 'release/2.0' } }],
  ['a buildspec in a folder', { build: { buildspec: 'delivery/buildspec..yml' } }],
  ['a plus in an address', { notifications: { emails: ["o'hara+ops@mail.example.co.uk"] } }],
  ['cents', { budget: { monthlyUsd: 19.99 } }],
  ['letters of any script in a tag', { owner: 'Équipe ops: 2/3 + λ@home' }],
  ['a time zone of two levels', schedules({ timeZone: 'America/Argentina/Ushuaia' })],
  ['an internal name that is not first', { customer: 'acme', application: 'internal-shop' }],
])('%s is no fault', (_what, written) => {
  expect(validateConfig({ application: 'shop', ...written }).faults).toBeUndefined();
});
