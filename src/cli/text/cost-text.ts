import type { CostChange, CostEstimate, CostLever, CostLine } from '../../model/cost.ts';
import type { Usage } from '../../model/config/schema.ts';
import { alignRight, formatUsd, formatUsdChange } from './money.ts';
import { table } from './table.ts';

const ENVIRONMENT_ORDER = ['production', 'staging', 'dev', 'shared'];

/** Environments down, regions across, sums at both ends. */
export function costMatrix(lines: readonly CostLine[], regions: readonly string[]): string[] {
  const environments = [...new Set(lines.map(({ environment }) => environment))].sort(
    (a, b) => ENVIRONMENT_ORDER.indexOf(a) - ENVIRONMENT_ORDER.indexOf(b),
  );
  const row = (name: string, chosen: readonly CostLine[]) => [
    name,
    ...regions.map(region => formatUsd(sum(chosen.filter(line => line.region === region)))),
    formatUsd(sum(chosen)),
  ];
  return table(
    alignRight([
      ['', ...regions, 'total'],
      ...environments.map(name =>
        row(
          name,
          lines.filter(({ environment }) => environment === name),
        ),
      ),
      row('total', lines),
    ]),
  );
}

/** One line for each kind of thing, dearest first, with its share. */
export function costByItem(lines: readonly CostLine[]): string[] {
  const total = sum(lines);
  const byItem = Map.groupBy(lines, ({ item }) => item);
  const rows = [...byItem]
    .map(([item, own]) => ({ item, usd: sum(own) }))
    .sort((a, b) => b.usd - a.usd)
    .map(({ item, usd }) => [item, formatUsd(usd), `${Math.round((100 * usd) / (total || 1))} %`]);
  return table(alignRight(rows));
}

/** Every resource with what is billed of it. */
export function costByResource(lines: readonly CostLine[]): string[] {
  return table(
    lines.map(({ region, environment, resource, item, quantity, unit, usdPerUnit, usd }) => [
      formatUsd(usd).padStart(9),
      region,
      environment,
      resource,
      item,
      `${roundedQuantity(quantity)} × ${usdPerUnit} a ${unit}`,
    ]),
  );
}

/** Levers that are not used, the most useful first, then those that are. */
export function leverLines(levers: readonly CostLever[]): string[] {
  const rows = [...levers]
    .sort((a, b) => Number(a.isUsed) - Number(b.isUsed) || b.saves - a.saves)
    .map(({ name, setting, isUsed, saves, price }) => [leverEffect(isUsed, saves), name, setting, price]);
  return table(rows);
}

function leverEffect(isUsed: boolean, saves: number): string {
  const verb = saves < -0.005 ? 'costs' : 'saves';
  return `${isUsed ? 'used: ' : ''}${verb} ${formatUsd(Math.abs(saves))}`;
}

/** What every price is, since when, and whose word it is. */
export function priceLines({ prices }: CostEstimate): string[] {
  return table(
    prices.map(({ id, usd, unit, date, source, isConfirmed }) => [
      id,
      `${usd} a ${unit}`,
      date,
      isConfirmed ? source : `${source}, unconfirmed`,
    ]),
  );
}

/** Where the figures come from and what they leave out: without this an estimate cannot be judged. */
export function costRemarks({ prices, substituted, notCovered }: CostEstimate, usage: Usage): string[] {
  const dates = prices.map(({ date }) => date).sort();
  const unconfirmed = prices.filter(({ isConfirmed }) => !isConfirmed).length;
  return [
    `Prices seen from ${dates[0] ?? 'never'} to ${dates.at(-1) ?? 'never'}, ${unconfirmed} of ${prices.length} unconfirmed: ` +
      '`tandem cost --prices`. No free allowances, discounts or taxes.',
    `Assumed of a month in each region (\`usage\` in the configuration): ${usageText(usage)}.`,
    ...substituted.map(
      ({ region, prices: missing }) =>
        `${region}: ${missing.length} prices are those of us-east-1, for its own are not known: ${missing.join(', ')}.`,
    ),
    ...notCovered.map(
      ({ resource, region, reason }) => `Not in the estimate: ${resource} in ${region}, ${reason}.`,
    ),
  ];
}

function usageText(usage: Usage): string {
  return [
    `${usage.requestsMillions} million requests`,
    `${usage.internetGb} GB to the internet`,
    `${usage.natGb} GB through NAT`,
    `${usage.logGb} GB of logs`,
    `${usage.flowLogGb} GB of flow logs`,
    `${usage.builds} builds of ${usage.buildMinutes} min`,
    `staging with ${usage.stagingPercent} % of production’s traffic`,
  ].join(', ');
}

/** What a plan changes: the sum, then each resource. */
export function changeLines({ before, after, resources, notCovered }: CostChange): string[] {
  const rows = resources.map(({ resource, region, before: from, after: to }) => [
    formatUsdChange(to - from).padStart(9),
    region,
    resource,
    from === 0 ? 'new' : to === 0 ? 'gone' : `${formatUsd(from)} → ${formatUsd(to)}`,
  ]);
  return [
    `${formatUsd(before)} → ${formatUsd(after)} USD a month (${formatUsdChange(after - before)})`,
    ...table(rows),
    ...notCovered.map(
      ({ resource, region, reason }) => `Not in the estimate: ${resource} in ${region}, ${reason}.`,
    ),
  ];
}

function roundedQuantity(quantity: number): string {
  return quantity.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

function sum(lines: readonly CostLine[]): number {
  return lines.reduce((total, { usd }) => total + usd, 0);
}
