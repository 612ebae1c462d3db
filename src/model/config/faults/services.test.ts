import { expectFaults, type Row } from './expect-faults.ts';

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

expectFaults(...SERVICES);
