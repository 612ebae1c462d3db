import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../model/config/schema.ts';
import type { CostReport } from '../../model/cost.ts';
import { linesOf, runCli } from '../testing/command-run.ts';

let workingFolder: string;

beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-fleet-'));
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

const FLEET = {
  defaults: {
    application: 'shop',
    service: { cpu: 512, memoryMb: 1024 },
    regions: ['us-east-1', 'us-west-2'],
  },
  customers: {
    acme: {},
    globex: { regions: ['eu-central-1'], service: { memoryMb: 2048 } },
    initech: {},
  },
  waves: [['acme'], ['globex']],
};

test('takes customers wave by wave, each with its whole configuration', async () => {
  const seen: Config[] = [];
  const run = await fleet(['cost'], { onReport: config => void seen.push(config) });
  expect(run.exitCode).toBe(0);
  expect(seen.map(({ customer }) => customer)).toEqual(['acme', 'globex', 'initech']);
  expect(seen[1]).toMatchObject({ regions: ['eu-central-1'], service: { cpu: 512, memoryMb: 2048 } });
  expect(linesOf(run.stdout).filter(line => line.startsWith('──'))).toEqual([
    '── acme',
    '── globex',
    '── initech',
  ]);
  expect(summaryOf(run.stdout)).toEqual([
    'customer  wave  ending',
    'acme      1     done',
    'globex    2     done',
    'initech   3     done',
  ]);
  const written = await readFile(
    join(workingFolder, '.tandem', 'fleet', 'globex', 'tandem.config.ts'),
    'utf8',
  );
  expect(written).toContain('"customer": "globex"');
});

test('begins nobody new after a failure, and says who was not begun', async () => {
  const run = await fleet(['cost'], {
    onReport: ({ customer }) => {
      if (customer === 'globex') throw new Error('the price table is gone');
    },
  });
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain('the price table is gone');
  expect(summaryOf(run.stdout)).toEqual([
    'customer  wave  ending',
    'acme      1     done',
    'globex    2     failed',
    'initech   3     not begun',
  ]);
});

test('works for those that are named, and gives programs what each command gave', async () => {
  const run = await fleet(['cost', '--customer', 'initech, acme', '--json']);
  const { customers } = JSON.parse(run.stdout) as { customers: object[] };
  expect(customers).toMatchObject([
    { customer: 'acme', wave: 1, isBegun: true, exitCode: 0, result: { estimate: { total: 0 } } },
    { customer: 'initech', wave: 3, isBegun: true, exitCode: 0 },
  ]);
});

test('never has more of a wave under way than it may', async () => {
  let underWay = 0;
  let most = 0;
  let meet: (() => void) | undefined;
  const names = Array.from({ length: 8 }, (_, index) => `customer-${index}`);
  await fleet(['cost'], {
    file: {
      defaults: { application: 'shop', network: { firstBlock: 1 } },
      customers: Object.fromEntries(names.map(name => [name, { aws: { namePrefix: name } }])),
      concurrency: 2,
    },
    onReport: async () => {
      most = Math.max(most, ++underWay);
      // Each waits for another to be under way beside it.
      if (meet) meet();
      await new Promise<void>(resolve => {
        if (meet) resolve();
        meet = meet ? undefined : resolve;
      });
      underWay -= 1;
    },
  });
  expect(most).toBe(2);
});

test.each([
  [
    'a fault in one customer',
    { ...FLEET, customers: { acme: { service: { cpu: 3 } } } },
    'customers.acme.service.cpu',
  ],
  ['two with the same names', { ...FLEET, waves: [], customers: same() }, 'customers.bb.aws.namePrefix'],
  ['a wave of nobody', { ...FLEET, waves: [['acme', 'nobody']] }, 'waves[0][1]: found "nobody"'],
  ['one in two waves', { ...FLEET, waves: [['acme'], ['acme']] }, 'each customer once'],
  ['no customers', { ...FLEET, customers: {} }, 'at least one customer'],
])('refuses %s, and begins nothing', async (_what, file, message) => {
  const run = await fleet(['cost'], { file, onReport: () => expect.unreachable() });
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(message);
});

test('refuses a customer that is not there, a file that is not there, and to deploy unasked', async () => {
  expect((await fleet(['cost', '--customer', 'umbrella'])).stderr).toContain('only acme, globex, initech');
  expect((await fleet(['cost', '--file', 'other.ts'])).stderr).toContain('defineFleet');
  const deploy = await fleet(['deploy']);
  expect(deploy).toMatchObject({ exitCode: 2 });
  expect(deploy.stderr).toContain('look with `tandem fleet plan`, then say --yes');
});

function same() {
  return { aa: { aws: { namePrefix: 'shop' } }, bb: { aws: { namePrefix: 'shop' } } };
}

interface FleetOptions {
  file?: object;
  onReport?: (config: Config) => void | Promise<void>;
}

async function fleet(argv: string[], { file = FLEET, onReport }: FleetOptions = {}) {
  await writeFile(join(workingFolder, 'tandem.fleet.ts'), `export default ${JSON.stringify(file)};\n`);
  const empty: CostReport = {
    estimate: { currency: 'USD', total: 0, lines: [], prices: [], substituted: [], notCovered: [] },
    levers: [],
  };
  const cost = {
    report: async (config: Config) => {
      await onReport?.(config);
      return empty;
    },
    change: () => Promise.reject(new Error('not expected')),
  };
  return runCli(['fleet', ...argv], { workingFolder, cost });
}

/** The closing table, without how long each took. */
function summaryOf(stdout: string): string[] {
  const lines = linesOf(stdout);
  return lines
    .slice(lines.findLastIndex(line => line.startsWith('customer')))
    .map(line =>
      line
        .split(/\s{2,}/)
        .slice(0, 3)
        .join('|'),
    )
    .map(line => line.split('|'))
    .map(([customer = '', wave = '', ending = '']) => `${customer.padEnd(8)}  ${wave.padEnd(4)}  ${ending}`);
}
