import type { CostEstimate, CostLine, UsedPrice } from '../../model/cost.ts';
import type { Usage } from '../../model/config/schema.ts';
import { Account, UnknownPrice, type Charge, type Rule } from './account.ts';
import { FREE_TYPES } from './free-types.ts';
import { BASE_REGIONS, PRICE_TABLE, type Price, type PriceId } from './price-table.ts';
import type { Resource } from './resource.ts';
import { computeRules } from './rules/compute.ts';
import { dataAndSecurityRules } from './rules/data-and-security.ts';
import { deliveryRules } from './rules/delivery.ts';
import { networkRules } from './rules/network.ts';
import { observabilityRules } from './rules/observability.ts';

const RULES: Readonly<Record<string, Rule>> = {
  ...computeRules,
  ...networkRules,
  ...deliveryRules,
  ...observabilityRules,
  ...dataAndSecurityRules,
};

/** What a month of these resources costs, dearest first. What cannot be told is listed, never taken for nothing. */
export function estimate(resources: readonly Resource[], usage: Usage): CostEstimate {
  const account = new Account(resources, usage);
  const lines: CostLine[] = [];
  const notCovered: CostEstimate['notCovered'] = [];
  for (const resource of resources) {
    const { charges, reason } = chargesOf(resource, account);
    if (reason !== undefined)
      notCovered.push({ resource: resource.address, region: resource.region, reason });
    lines.push(...charges.map(charge => lineOf(resource, charge)));
  }
  lines.sort((a, b) => b.usd - a.usd);
  return {
    currency: 'USD',
    total: lines.reduce((total, { usd }) => total + usd, 0),
    lines,
    prices: usedPrices(lines),
    substituted: substitutedPrices(lines),
    notCovered,
  };
}

function chargesOf(resource: Resource, account: Account): { charges: Charge[]; reason?: string } {
  const rule = RULES[resource.type];
  if (!rule) {
    return Object.hasOwn(FREE_TYPES, resource.type)
      ? { charges: [] }
      : { charges: [], reason: `no price rule for ${resource.type}` };
  }
  try {
    return { charges: rule(resource, account).filter(({ quantity }) => quantity > 0) };
  } catch (error) {
    if (error instanceof UnknownPrice) return { charges: [], reason: error.message };
    throw error;
  }
}

function lineOf({ region, environment, address }: Resource, { item, price, quantity }: Charge): CostLine {
  const { unit } = PRICE_TABLE[price];
  const { usd: usdPerUnit } = priceIn(price, region);
  return {
    region,
    environment,
    resource: address,
    item,
    quantity,
    unit,
    usdPerUnit,
    usd: quantity * usdPerUnit,
    price,
  };
}

function priceIn(id: PriceId, region: string): { usd: number; isSubstitute: boolean } {
  const price: Price = PRICE_TABLE[id];
  if (BASE_REGIONS.includes(region)) return { usd: price.usd, isSubstitute: false };
  const own = price.regions?.usd[region];
  return { usd: own ?? price.usd, isSubstitute: own === undefined };
}

/** Each price that a line was made with; a price of one region is named with the region. */
function usedPrices(lines: readonly CostLine[]): UsedPrice[] {
  const used = new Map<string, UsedPrice>();
  for (const line of lines) {
    const price: Price = PRICE_TABLE[line.price as PriceId];
    const own = BASE_REGIONS.includes(line.region) ? undefined : price.regions?.usd[line.region];
    const id = own === undefined ? line.price : `${line.price} in ${line.region}`;
    const { unit, date } = price;
    const { source, isConfirmed } = own === undefined ? price : price.regions!;
    used.set(id, { id, usd: own ?? price.usd, unit, date, source, isConfirmed });
  }
  return [...used.values()];
}

function substitutedPrices(lines: readonly CostLine[]): CostEstimate['substituted'] {
  const missing = new Map<string, Set<string>>();
  for (const { region, price } of lines) {
    if (!priceIn(price as PriceId, region).isSubstitute) continue;
    missing.set(region, (missing.get(region) ?? new Set()).add(price));
  }
  return [...missing].map(([region, prices]) => ({ region, prices: [...prices].sort() }));
}
