import type { Usage } from '../../model/config/schema.ts';
import type { PriceId } from './price-table.ts';
import type { Resource } from './resource.ts';

/** AWS's own convention: a month has 730 hours. */
export const HOURS_A_MONTH = 730;

/** So much of something in a month. */
export interface Charge {
  item: string;
  price: PriceId;
  quantity: number;
}

/** What a resource costs in a month, seen among the others of its region. */
export type Rule = (resource: Resource, account: Account) => Charge[];

/** What a resource costs cannot be told; reports list it with this message. */
export class UnknownPrice extends Error {}

/** All resources that are estimated together, and what is assumed of their use. */
export class Account {
  readonly usage: Usage;
  readonly #resources: readonly Resource[];
  readonly #byPlace: ReadonlyMap<string, Resource>;

  constructor(resources: readonly Resource[], usage: Usage) {
    this.usage = usage;
    this.#resources = resources;
    this.#byPlace = new Map(
      resources.map(resource => [placeOf(resource.module, resource.address), resource]),
    );
  }

  /** Those of one type in the same region. */
  beside({ region }: Resource, type: string): Resource[] {
    return this.#resources.filter(other => other.region === region && other.type === type);
  }

  /** Those of one type in the same root module. */
  within({ module }: Pick<Resource, 'module'>, type: string): Resource[] {
    return this.#resources.filter(other => other.module === module && other.type === type);
  }

  /** The one of that type which it refers to. */
  referredTo(resource: Resource, type: string): Resource | undefined {
    const address = resource.references.find(reference => reference.startsWith(`${type}.`));
    return address === undefined ? undefined : this.#byPlace.get(placeOf(resource.module, address));
  }

  /** Those of one type that refer to it. */
  referring({ module, address }: Resource, type: string): Resource[] {
    return this.within({ module }, type).filter(({ references }) => references.includes(address));
  }

  /** How much of production's traffic and logs an environment has; what is shared has none of its own. */
  trafficShare({ environment }: Resource): number {
    if (environment === 'production') return 1;
    return environment === 'shared' ? 0 : this.usage.stagingPercent / 100;
  }
}

function placeOf(module: number, address: string): string {
  return `${module} ${address}`;
}
