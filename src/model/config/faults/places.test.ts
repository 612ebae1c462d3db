import type { ConfigInput } from '../schema.ts';
import { expectFaults, expectNoFaults, type Row } from './expect-faults.ts';

const ZONE = 'Z0123456789ABC';
const DOMAIN = { name: 'shop.example.com', zoneId: ZONE };
const EVERY_REGION = [
  ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'af-south-1', 'ap-east-1', 'ap-northeast-1'],
  ['ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2'],
  ['ap-southeast-3', 'ap-southeast-4', 'ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2'],
  ['eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1'],
  ['sa-east-1'],
].flat();

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
  [
    'a country by a code that is not its own',
    { routing: { locations: { 'us-east-1': ['country:UK'] } } },
    'routing.locations["us-east-1"][0]',
    '"country:UK"',
    /codes of Route 53/,
  ],
  [
    'weights of a region that there is not',
    { routing: { weights: { 'us-east-9': 1 } } },
    'routing.weights["us-east-9"]',
    'a key that does not exist',
    /^us-east-1, us-east-2, /,
  ],
  [
    'an endpoint’s whole name',
    { network: { endpoints: ['com.amazonaws.us-east-1.sqs'] } },
    'network.endpoints[0]',
    '"com.amazonaws.us-east-1.sqs"',
    /the end of an endpoint’s name/,
  ],
  [
    'an endpoint that would be called like one that a network without NAT has',
    { network: { nat: 'none', endpoints: ['ecr-api'] } },
    'network.endpoints[0]',
    '"ecr-api"',
    /as sqs or ecr\.api/,
  ],
  [
    'a list of environments with one twice',
    { waf: { environments: ['staging', 'staging'] } },
    'waf.environments[1]',
    '"staging"',
    /once/,
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

expectFaults(...PLACES, ...SWITCHES);

expectNoFaults(
  ['a domain in another script', { domain: { name: 'xn--80ak6aa92e.xn--p1ai', zoneId: ZONE } }],
  ['the longest domain', { domain: { ...DOMAIN, name: `${'a'.repeat(56)}.example` } }],
  [
    'as many regions as a registry copies to',
    { regions: EVERY_REGION.slice(0, 26) as ConfigInput['regions'] },
  ],
);
