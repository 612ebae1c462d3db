import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CostReport } from '../../model/cost.ts';
import { linesOf, runCli } from '../testing/command-run.ts';

let workingFolder: string;

beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-cost-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'storefront' };\n");
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

const line = (region: string, environment: string, item: string, usd: number) => ({
  region,
  environment,
  resource: `aws_thing.${item.replaceAll(' ', '_')}`,
  item,
  quantity: usd * 10,
  unit: 'hour',
  usdPerUnit: 0.1,
  usd,
  price: 'thing',
});

const report: CostReport = {
  estimate: {
    currency: 'USD',
    total: 1300.5,
    lines: [
      line('us-east-1', 'shared', 'NAT gateway', 1000),
      line('us-west-2', 'shared', 'NAT gateway', 200),
      line('us-east-1', 'production', 'Fargate CPU', 80.5),
      line('us-east-1', 'staging', 'Fargate CPU', 20),
    ],
    prices: [
      { id: 'thing', usd: 0.1, unit: 'hour', date: '2026-09-30', source: 'the list', isConfirmed: true },
      { id: 'other', usd: 2, unit: 'GB', date: '2026-11', source: 'hearsay', isConfirmed: false },
    ],
    substituted: [{ region: 'us-west-2', prices: ['thing'] }],
    notCovered: [{ resource: 'aws_new.one', region: 'us-west-2', reason: 'no price rule for aws_new' }],
  },
  levers: [
    { name: 'used', setting: 'a: 1', isUsed: true, saves: 5, price: 'slow' },
    { name: 'dear', setting: 'b: 2', isUsed: false, saves: -3, price: 'odd' },
    { name: 'cheap', setting: 'c: 3', isUsed: false, saves: 40, price: 'none' },
  ],
};
const cost = { report: async () => report, change: () => Promise.reject(new Error('not expected')) };

test('tells what each environment of each region costs, for what, how to save, and what it rests on', async () => {
  const run = await runCli(['cost', '--target', 'aws'], { workingFolder, cost });
  expect(run.exitCode).toBe(0);
  expect(run.stderr).toBe('');
  expect(linesOf(run.stdout)).toEqual([
    'storefront of internal: USD a month on AWS, estimated',
    '',
    '            us-east-1  us-west-2     total',
    'production      80.50       0.00     80.50',
    'staging         20.00       0.00     20.00',
    'shared       1,000.00     200.00  1,200.00',
    'total        1,100.50     200.00  1,300.50',
    '',
    'NAT gateway  1,200.00  92 %',
    'Fargate CPU    100.50   8 %',
    '',
    'Levers, each by itself, over all regions',
    'saves 40.00       cheap  c: 3  none',
    'costs 3.00        dear   b: 2  odd',
    'used: saves 5.00  used   a: 1  slow',
    '',
    'Prices seen from 2026-09-30 to 2026-11, 1 of 2 unconfirmed: `tandem cost --prices`. ' +
      'No free allowances, discounts or taxes.',
    'Assumed of a month in each region (`usage` in the configuration): 5 million requests, 20 GB to the internet, ' +
      '20 GB through NAT, 5 GB of logs, 2 GB of flow logs, 40 builds of 5 min, staging with 10 % of production’s traffic.',
    'us-west-2: 1 prices are those of us-east-1, for its own are not known: thing.',
    'Not in the estimate: aws_new.one in us-west-2, no price rule for aws_new.',
  ]);
});

test('shows resources and prices of one region when asked', async () => {
  const run = await runCli(['cost', '--resources', '--prices', '--region', 'us-east-1'], {
    workingFolder,
    cost,
  });
  expect(run.stdout).toContain(
    [
      ' 1,000.00  us-east-1  shared      aws_thing.NAT_gateway  NAT gateway  10,000 × 0.1 a hour',
      '    80.50  us-east-1  production  aws_thing.Fargate_CPU  Fargate CPU  805 × 0.1 a hour',
      '    20.00  us-east-1  staging     aws_thing.Fargate_CPU  Fargate CPU  200 × 0.1 a hour',
      '',
      'thing  0.1 a hour  2026-09-30  the list',
      'other  2 a GB      2026-11     hearsay, unconfirmed',
    ].join('\n'),
  );
  expect(run.stdout).not.toContain('us-west-2');
});

test('gives programs the same, and refuses a region that is not there', async () => {
  const json = await runCli(['cost', '--json', '--region', 'us-east-1'], { workingFolder, cost });
  expect(JSON.parse(json.stdout)).toMatchObject({
    estimate: { total: 1100.5, notCovered: [] },
    levers: report.levers,
  });
  const refused = await runCli(['cost', '--region', 'mars-1'], { workingFolder, cost });
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('there is no region mars-1 here, only us-east-1, us-west-2');
});

test('tells what saved plans change', async () => {
  await writeFile(join(workingFolder, 'plan.json'), '{"planned_values":{}}');
  const given: unknown[] = [];
  const run = await runCli(['cost', '--plan', 'plan.json'], {
    workingFolder,
    cost: {
      ...cost,
      async change(plans) {
        given.push(...plans);
        return {
          currency: 'USD',
          before: 100,
          after: 90,
          resources: [
            { resource: 'aws_lb.a', region: 'us-east-1', before: 16, after: 0 },
            { resource: 'aws_eip.b', region: 'us-east-1', before: 0, after: 4 },
            { resource: 'aws_ecs_service.c', region: 'us-east-1', before: 8, after: 10 },
          ],
          notCovered: [],
        };
      },
    },
  });
  expect(given).toEqual([{ planned_values: {} }]);
  expect(linesOf(run.stdout)).toEqual([
    '100.00 → 90.00 USD a month (−10.00)',
    '   −16.00  us-east-1  aws_lb.a           gone',
    '    +4.00  us-east-1  aws_eip.b          new',
    '    +2.00  us-east-1  aws_ecs_service.c  8.00 → 10.00',
  ]);
});

test.each([
  ['is not there', undefined, 'there is no file'],
  ['is not JSON', 'plan', 'is no Terraform plan in JSON'],
  ['is no object', '[1', 'is no Terraform plan in JSON'],
])('refuses a plan that %s', async (_what, text, message) => {
  if (text !== undefined) await writeFile(join(workingFolder, 'plan.json'), text);
  const run = await runCli(['cost', '--plan', 'plan.json'], { workingFolder, cost });
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(message);
});
