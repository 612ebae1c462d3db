import { z } from 'zod';
import { namePrefix } from './name-prefix.ts';
import type { Config, ConfigInput } from './schema.ts';
import { validateConfig, type ConfigFault } from './validate.ts';

/** What a user writes in `tandem.fleet.ts`. */
export interface FleetInput {
  /** What all customers have in common; `application` belongs here. */
  defaults: ConfigInput;
  /** Each customer by name, with what differs for them; lists are replaced as a whole. */
  customers: Record<string, DeepPartial<ConfigInput>>;
  /** Customers in the order in which a change reaches them, wave by wave; who is in none comes last. Default: one wave. */
  waves?: string[][];
  /** How many customers of a wave at once. Default: 3. */
  concurrency?: number;
}

type DeepPartial<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { [Key in keyof Value]?: DeepPartial<Value[Key]> }
    : Value;

export interface Customer {
  name: string;
  config: Config;
}

export interface Fleet {
  customers: Customer[];
  waves: string[][];
  concurrency: number;
}

/** Gives `tandem.fleet.ts` its types; the value is checked when Tandem reads the file. */
export function defineFleet(fleet: FleetInput): FleetInput {
  return fleet;
}

const DEFAULT_CONCURRENCY = 3;
const section = z.record(z.string(), z.unknown());
const fleetSchema = z.strictObject({
  defaults: section.default({}),
  customers: z
    .record(z.string(), section)
    .refine(customers => Object.keys(customers).length > 0, 'at least one customer'),
  waves: z.array(z.array(z.string())).default([]),
  concurrency: z.int().min(1).max(100).default(DEFAULT_CONCURRENCY),
});

export type FleetValidation =
  { fleet: Fleet; faults?: undefined } | { fleet?: undefined; faults: ConfigFault[] };

/** Checks a value read from `tandem.fleet.ts`: every customer's whole configuration, or all faults of all of them. */
export function validateFleet(value: unknown): FleetValidation {
  const parsed = fleetSchema.safeParse(value);
  if (!parsed.success) {
    return {
      faults: parsed.error.issues.map(({ path, message }) => ({
        path: path.join('.') || 'the file',
        found: 'something else',
        allowed: message,
      })),
    };
  }
  const { defaults, customers, waves, concurrency } = parsed.data;
  const faults: ConfigFault[] = [];
  const valid = Object.entries(customers).flatMap(([name, own]): Customer[] => {
    const validation = validateConfig({ ...merged(defaults, own), customer: name });
    if (validation.config) return [{ name, config: validation.config }];
    faults.push(...validation.faults.map(fault => ({ ...fault, path: `customers.${name}.${fault.path}` })));
    return [];
  });
  faults.push(...clashes(valid), ...waveFaults(waves, Object.keys(customers)));
  if (faults.length > 0) return { faults };
  const named = new Set(waves.flat());
  const others = valid.map(({ name }) => name).filter(name => !named.has(name));
  return {
    fleet: { customers: valid, waves: [...waves, others].filter(wave => wave.length > 0), concurrency },
  };
}

/** Objects are laid over each other key by key; anything else replaces. */
function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isSection(before) && isSection(value) ? merged(before, value) : value;
  }
  return result;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Two customers whose resources have the same names cannot live in one account, or in accounts that nobody named. */
function clashes(customers: readonly Customer[]): ConfigFault[] {
  return customers.flatMap(({ name, config }, index) => {
    const prefix = namePrefix(config);
    const other = customers
      .slice(0, index)
      .find(
        earlier =>
          namePrefix(earlier.config) === prefix && earlier.config.aws.accountId === config.aws.accountId,
      );
    return other === undefined
      ? []
      : [
          {
            path: `customers.${name}.aws.namePrefix`,
            found: prefix,
            allowed: `another name than that of ${other.name}, whose resources would be called the same in the same account`,
          },
        ];
  });
}

function waveFaults(waves: readonly (readonly string[])[], known: readonly string[]): ConfigFault[] {
  const all = waves.flat();
  return all.flatMap((name, index) => {
    if (!known.includes(name)) return [{ path: 'waves', found: name, allowed: known.join(', ') }];
    return all.indexOf(name) < index ? [{ path: 'waves', found: name, allowed: 'each customer once' }] : [];
  });
}
