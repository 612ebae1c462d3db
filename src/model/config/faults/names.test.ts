import { expectFaults, expectNoFaults, type Row } from './expect-faults.ts';

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
  ['a tag with a newline', { owner: 'a\nb' }, 'owner', '"a\\nb"', /1 to 256/],
  ['a tag that Terraform would compose', { owner: '\u212B' }, 'owner', '"\u212B"', /NFC/],
];

expectFaults(...NAMES);

expectNoFaults(
  ['letters of any script in a tag', { owner: 'Équipe ops: 2/3 + λ@home' }],
  ['an internal name that is not first', { customer: 'acme', application: 'internal-shop' }],
);
