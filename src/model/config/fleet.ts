import { z } from 'zod';
import { namePrefix } from './name-prefix.ts';
import type { Config, ConfigInput } from './schema.ts';
import { formatKeyPath, type KeyPath } from './describe.ts';
import { describeFound, validateConfig, valueAt, type ConfigFault } from './validate.ts';

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
const COUNT = 'a whole number from 1 to 100';
const CUSTOMERS = 'at least one customer by name, each with what differs for them';
const section = z.record(z.string(), z.unknown(), { error: 'an object, as in `tandem.config.ts`' });
const fleetSchema = z.strictObject({
  defaults: section.default({}),
  customers: z
    .record(z.string(), section, { error: CUSTOMERS })
    .refine(customers => Object.keys(customers).length > 0, CUSTOMERS),
  waves: z
    .array(
      z.array(z.string({ error: 'the name of a customer' }), { error: 'a list of names of customers' }),
      {
        error: 'a list of waves, each a list of names of customers',
      },
    )
    .default([]),
  concurrency: z.int({ error: COUNT }).min(1, COUNT).max(100, COUNT).default(DEFAULT_CONCURRENCY),
});

export type FleetValidation =
  { fleet: Fleet; faults?: undefined } | { fleet?: undefined; faults: ConfigFault[] };

/** Checks a value read from `tandem.fleet.ts`: every customer's whole configuration, or all faults of all of them. */
export function validateFleet(value: unknown): FleetValidation {
  const parsed = fleetSchema.safeParse(value);
  if (!parsed.success) {
    return { faults: parsed.error.issues.flatMap(issue => shapeFaults(value, issue)) };
  }
  const { defaults, customers, waves, concurrency } = parsed.data;
  const faults: ConfigFault[] = [];
  const valid = Object.entries(customers).flatMap(([name, own]): Customer[] => {
    const validation = validateConfig({ ...merged(defaults, own), customer: name });
    if (validation.config) return [{ name, config: validation.config }];
    faults.push(...validation.faults.map(fault => faultOf(name, fault)));
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

/** Of the file itself, whatever the customers' configurations say. */
function shapeFaults(value: unknown, issue: z.core.$ZodIssue): ConfigFault[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') {
    const allowed = Object.keys(fleetSchema.shape).join(', ');
    return issue.keys.map(key => ({
      path: formatKeyPath([...path, key]),
      found: 'a key that does not exist',
      allowed,
    }));
  }
  const isFile = path.length === 0;
  return [
    {
      path: isFile ? 'the file' : formatKeyPath(path),
      found: describeFound(valueAt(value, path)),
      allowed: isFile ? 'an object with defaults, customers, waves, concurrency' : issue.message,
    },
  ];
}

/** A customer is named by the key, and by nothing in the configuration. */
function faultOf(name: string, fault: ConfigFault): ConfigFault {
  const customer = formatKeyPath(['customers', name]);
  return fault.path === 'customer'
    ? { ...fault, path: customer, found: `the name ${fault.found}` }
    : { ...fault, path: `${customer}.${fault.path}` };
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
            path: `${formatKeyPath(['customers', name])}.aws.namePrefix`,
            found: JSON.stringify(prefix),
            allowed: `another name than that of ${other.name}, whose resources would be called the same in the same account`,
          },
        ];
  });
}

function waveFaults(waves: readonly (readonly string[])[], known: readonly string[]): ConfigFault[] {
  const all = waves.flatMap((wave, index) =>
    wave.map((name, place) => ({ name, path: formatKeyPath(['waves', index, place]) })),
  );
  return all.flatMap(({ name, path }, index) => {
    const found = JSON.stringify(name);
    if (!known.includes(name)) return [{ path, found, allowed: known.join(', ') }];
    const isNamed = all.findIndex(other => other.name === name) < index;
    return isNamed ? [{ path, found, allowed: 'each customer once' }] : [];
  });
}
