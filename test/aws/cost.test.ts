import { describe, expect, test } from 'vitest';
import { FREE_TYPES } from '../../src/aws/cost/free-types.ts';
import { PRICE_TABLE } from '../../src/aws/cost/price-table.ts';
import { costReport, estimateConfig } from '../../src/aws/cost/report.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { configSchema, type Config, type ConfigInput } from '../../src/model/config/schema.ts';
import type { CostEstimate } from '../../src/model/cost.ts';
import { CONFIGURATIONS } from './configurations.ts';

const documentsOf = (config: Config) =>
  synthesize(config, { state: 's3', protect: true }).map(({ document }) => document);

function estimateOf(input: ConfigInput): CostEstimate {
  return estimateConfig(configSchema.parse(input), documentsOf);
}

const defaults = estimateOf(CONFIGURATIONS.defaults);

test.each(Object.entries(CONFIGURATIONS))(
  '%s: every type of resource has a price, or a reason to have none',
  (_, input) => {
    expect(estimateOf(input).notCovered).toEqual([]);
  },
);

test('each price has a date and a source, and each free type a reason', () => {
  for (const { date, source } of Object.values(PRICE_TABLE)) {
    expect(date).toMatch(/^2026-\d\d(-\d\d)?$/);
    expect(source).not.toBe('');
  }
  expect(Object.values(FREE_TYPES)).not.toContain('');
});

describe('the defaults, in us-east-1 and us-west-2', () => {
  test('cost what the price list makes of them, thing by thing', () => {
    const month = 730;
    expect(usdOf(defaults, 'NAT gateway')).toBeCloseTo(2 * 0.045 * month, 6);
    expect(usdOf(defaults, 'load balancer')).toBeCloseTo(2 * 2 * 0.0225 * month, 6);
    expect(usdOf(defaults, 'Fargate CPU')).toBeCloseTo(8 * 0.25 * 0.04048 * month, 6);
    expect(usdOf(defaults, 'Fargate memory')).toBeCloseTo(8 * 0.5 * 0.004445 * month, 6);
    // Two zones of four load balancers, and two NAT gateways.
    expect(usdOf(defaults, 'public addresses')).toBeCloseTo(10 * 0.005 * month, 6);
    expect(usdOf(defaults, 'dashboards')).toBe(9);
  });

  test('production and what both environments share are below 260 USD, with all that AWS bills', () => {
    const usd = defaults.lines
      .filter(({ environment }) => environment !== 'staging')
      .reduce((total, line) => total + line.usd, 0);
    expect(usd).toBeGreaterThan(200);
    expect(usd).toBeLessThan(260);
  });

  test('cost the same in both regions, but for the dashboard across them', () => {
    const [east, west] = ['us-east-1', 'us-west-2'].map(region =>
      defaults.lines.filter(line => line.region === region).reduce((total, { usd }) => total + usd, 0),
    );
    expect(east! - west!).toBeCloseTo(3, 6);
  });
});

test('a region whose own prices are not known says that those of us-east-1 stand in', () => {
  const { substituted, prices } = estimateOf({
    application: 'shop',
    regions: ['eu-central-1', 'eu-south-2'],
  });
  const frankfurt = substituted.find(({ region }) => region === 'eu-central-1')!;
  expect(frankfurt.prices).not.toContain('natGateway');
  expect(frankfurt.prices).toContain('dashboard');
  expect(substituted.find(({ region }) => region === 'eu-south-2')!.prices).toContain('natGateway');
  expect(prices.find(({ id }) => id === 'natGateway in eu-central-1')).toMatchObject({
    usd: 0.052,
    isConfirmed: false,
  });
});

describe('levers', () => {
  const { levers } = costReport(configSchema.parse(CONFIGURATIONS.defaults), documentsOf);
  const saves = (setting: string) => levers.find(lever => lever.setting.startsWith(setting))!.saves;

  test('save what two estimates differ by', () => {
    expect(saves('aws.architecture')).toBeCloseTo(
      defaults.total - estimateOf({ application: 'storefront', aws: { architecture: 'ARM64' } }).total,
      6,
    );
    expect(saves('aws.spotPercent')).toBeCloseTo(0.7 * 0.5 * 4 * taskUsd(), 2);
    expect(saves("network.nat: 'single'")).toBeCloseTo(2 * (0.045 + 0.005) * 730, 6);
    expect(saves("aws.standby: 'warm'")).toBeCloseTo(taskUsd(), 6);
    expect(saves("aws.standby: 'pilot-light'")).toBeCloseTo(2 * taskUsd(), 6);
    expect(saves('environments.staging')).toBeCloseTo(2 * taskUsd(), 6);
  });

  test('say so where they cost more: endpoints instead of NAT gateways', () => {
    expect(saves("network.nat: 'none'")).toBeLessThan(0);
  });

  test('each of them changes the estimate', () => {
    expect(levers.filter(({ saves: usd }) => usd === 0)).toEqual([]);
  });

  test('one that is used says what it saves now', () => {
    const used = costReport(
      configSchema.parse({ application: 'storefront', network: { nat: 'single' } }),
      documentsOf,
    ).levers.find(({ setting }) => setting === "network.nat: 'single'")!;
    expect(used.isUsed).toBe(true);
    expect(used.saves).toBeCloseTo(73, 6);
  });
});

/** A task of the default size for a month. */
function taskUsd(): number {
  return (0.25 * 0.04048 + 0.5 * 0.004445) * 730;
}

function usdOf({ lines }: CostEstimate, item: string): number {
  return lines.filter(line => line.item === item).reduce((total, { usd }) => total + usd, 0);
}
