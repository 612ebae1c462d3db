import { expect, test } from 'vitest';
import { validateFleet } from './fleet.ts';

const CUSTOMERS = { acme: {}, globex: {} };

test.each<[what: string, written: object, path: string, found: string, allowed: RegExp]>([
  [
    'a name that no customer has',
    { customers: { Acme: {} } },
    'customers.Acme',
    'the name "Acme"',
    /lower-case/,
  ],
  [
    'a name with a dot',
    { customers: { 'a.b': {} } },
    'customers["a.b"]',
    'the name "a.b"',
    /2 to 31 lower-case/,
  ],
  ['no customers', { customers: {} }, 'customers', '{}', /at least one/],
  ['a customer that is a list', { customers: { acme: [] } }, 'customers.acme', '[]', /an object/],
  [
    'a value of one customer',
    { customers: { acme: { service: { port: 0 } } } },
    'customers.acme.service.port',
    '0',
    /1 to 65535/,
  ],
  ['none at once', { concurrency: 0 }, 'concurrency', '0', /1 to 100/],
  ['no number at once', { concurrency: Number.NaN }, 'concurrency', 'NaN', /1 to 100/],
  ['a wave that is a name', { waves: ['acme'] }, 'waves[0]', '"acme"', /a list of names/],
  ['a wave of a number', { waves: [[1]] }, 'waves[0][0]', '1', /the name of a customer/],
  ['a wave of nobody', { waves: [['nobody']] }, 'waves[0][0]', '"nobody"', /^acme, globex$/],
  ['a customer in two waves', { waves: [['acme'], ['acme']] }, 'waves[1][0]', '"acme"', /once/],
  ['a key that there is not', { wave: [] }, 'wave', 'a key that does not exist', /waves, concurrency/],
])(
  '%s: the fault names its key, what was found and what is allowed',
  (_what, written, path, found, allowed) => {
    const { faults } = validateFleet({
      defaults: { application: 'shop' },
      customers: CUSTOMERS,
      ...written,
    });
    expect(faults).toMatchObject([{ path, found, allowed: expect.stringMatching(allowed) as string }]);
  },
);
