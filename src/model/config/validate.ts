import type { z } from 'zod';
import { nearest } from '../../core/nearest.ts';
import { describeNode, formatKeyPath, nodeAt, rootNode, type KeyPath, type SchemaNode } from './describe.ts';
import { environmentConfig } from './environment.ts';
import { configSchema, type Config } from './schema.ts';
import { ENVIRONMENTS, type Environment } from '../names.ts';

/** One thing wrong in a configuration, complete enough to mend it without reading anything else. */
export interface ConfigFault {
  /** `service.healthCheck.intervalSeconds`. */
  path: string;
  found: string;
  allowed: string;
  /** The key or value that was probably meant. */
  suggestion?: string;
}

export type ConfigValidation =
  { config: Config; faults?: undefined } | { config?: undefined; faults: ConfigFault[] };

/** Checks a value read from `tandem.config.ts`: the configuration with every default, or all its faults at once. */
export function validateConfig(value: unknown): ConfigValidation {
  const result = configSchema.safeParse(value);
  if (!result.success) return { faults: allFaults(value, result.error.issues) };
  const faults = ENVIRONMENTS.flatMap(environment => environmentFaults(result.data, environment));
  return faults.length > 0 ? { faults } : { config: result.data };
}

/**
 * zod leaves a section's own rules (Fargate pairs, counts) out while any other key of the file is wrong. So the
 * wrong values are taken out and the rest is checked again; a rule of a section that lost a value is not judged.
 */
function allFaults(value: unknown, issues: readonly Issue[]): ConfigFault[] {
  const sectionOf = (issue: Issue) => formatKeyPath((issue.path as KeyPath).slice(0, -1));
  const faulty = new Set(issues.filter(({ code }) => !RULES.has(code)).map(sectionOf));
  const first = issues
    .filter(issue => issue.code !== 'custom' || !faulty.has(sectionOf(issue)))
    .flatMap(issue => toFaults(value, issue));
  const culled = copyOfData(value);
  const incomplete = new Set<string>();
  for (const issue of issues) {
    const path = issue.path as KeyPath;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) remove(culled, [...path, key]);
    } else {
      remove(culled, path);
      incomplete.add(sectionOf(issue));
    }
  }
  const second = configSchema.safeParse(culled);
  const further = second.success
    ? ENVIRONMENTS.filter(environment => isComplete(incomplete, environment)).flatMap(environment =>
        environmentFaults(second.data, environment),
      )
    : second.error.issues
        .filter(issue => issue.code === 'custom' && !incomplete.has(sectionOf(issue)))
        .flatMap(issue => toFaults(culled, issue));
  return [...first, ...further];
}

/** What is no wrong value of a key. */
const RULES = new Set<string>(['custom', 'unrecognized_keys']);

function isComplete(incomplete: ReadonlySet<string>, environment: string): boolean {
  return ![
    'service',
    'deployment',
    `environments.${environment}.service`,
    `environments.${environment}.deployment`,
  ].some(section => incomplete.has(section));
}

/** Keys whose values must go together: a fault at one may have been caused by setting another. */
const TOGETHER: readonly (readonly string[])[] = [
  ['cpu', 'memoryMb'],
  ['minimumCount', 'desiredCount', 'maximumCount'],
  ['minimumHealthyPercent', 'maximumPercent'],
  ['strategy', 'canary', 'linear', 'bakeTimeMinutes'],
];

/** What an environment's overrides make of the sections they change must be as valid as the sections themselves. */
function environmentFaults(config: Config, environment: Environment): ConfigFault[] {
  const effective = environmentConfig(config, environment);
  return (['service', 'deployment'] as const).flatMap(section => {
    const overrides: Record<string, unknown> = config.environments[environment][section];
    const result = configSchema.shape[section].safeParse(effective[section]);
    if (result.success) return [];
    return result.error.issues.map(issue => {
      const key = String(issue.path[0]);
      const group = TOGETHER.find(keys => keys.includes(key)) ?? [key];
      const culprit =
        overrides[key] === undefined ? (group.find(other => overrides[other] !== undefined) ?? key) : key;
      const value = (effective[section] as Record<string, unknown>)[key];
      return {
        path: `environments.${environment}.${section}.${culprit}`,
        found: describeFound(overrides[culprit]),
        allowed:
          culprit === key
            ? issue.message
            : `a value that goes with ${section}.${key} = ${describeFound(value)} (${issue.message})`,
      };
    });
  });
}

type Issue = z.core.$ZodIssue;

function toFaults(value: unknown, issue: Issue): ConfigFault[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKeyFault(path, key));
  const node = nodeAt(path) ?? {};
  const found = valueAt(value, path);
  const fault = { path: formatKeyPath(path), found: describeFound(found), allowed: allowedBy(issue, node) };
  if (issue.code === 'invalid_key') return [{ ...fault, found: `the name ${describeFound(path.at(-1))}` }];
  const meant =
    issue.code === 'invalid_value' && typeof found === 'string'
      ? nearest(found, issue.values.map(String))
      : undefined;
  return [meant === undefined ? fault : { ...fault, suggestion: JSON.stringify(meant) }];
}

function allowedBy(issue: Issue, node: SchemaNode): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'custom' || (issue.code === 'invalid_format' && issue.format === 'regex')) {
    return issue.message;
  }
  if (issue.code === 'too_small' && issue.origin === 'array') return `at least ${issue.minimum} of them`;
  if (issue.code === 'too_big' && issue.origin === 'array') return `at most ${issue.maximum} of them`;
  return describeNode(node);
}

function unknownKeyFault(section: KeyPath, key: string): ConfigFault {
  const node = nodeAt(section);
  const known = node?.propertyNames?.enum ?? Object.keys(node?.properties ?? {});
  const near = nearest(key, known);
  const elsewhere = near === undefined ? pathsOf(key, rootNode, []) : [];
  const meant = near === undefined ? elsewhere : [[...section, near]];
  return {
    path: formatKeyPath([...section, key]),
    found: 'a key that does not exist',
    allowed: known.join(', '),
    ...(meant[0] && { suggestion: formatKeyPath(meant[0]) }),
  };
}

/** Every place where a key of this name exists, shallowest first: `cpu` at the top was meant as `service.cpu`. */
function pathsOf(key: string, node: SchemaNode, path: KeyPath): KeyPath[] {
  const children = Object.entries(node.properties ?? {});
  const here = children.filter(([name]) => name === key).map(([name]) => [...path, name]);
  return [...here, ...children.flatMap(([name, child]) => pathsOf(key, child, [...path, name]))];
}

const LONGEST_FOUND = 80;

export function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value) && value.length > 3) return `a list of ${value.length}`;
  const text =
    JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? `${entry}n` : entry)) ??
    `a ${typeof value}`;
  return text.length > LONGEST_FOUND ? `${text.slice(0, LONGEST_FOUND - 1)}…` : text;
}

export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((at, key) => (isContainer(at) ? at[key] : undefined), value);
}

function remove(value: unknown, path: KeyPath): void {
  const parent = valueAt(value, path.slice(0, -1));
  const key = path.at(-1);
  if (key === undefined || !isContainer(parent)) return;
  // A list keeps its other elements in place, so that later paths still hold.
  if (Array.isArray(parent)) parent[Number(key)] = undefined;
  else delete parent[key];
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A copy of plain objects and lists; anything else (functions, dates) is kept as it is. */
function copyOfData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOfData);
  if (!isContainer(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copyOfData(entry)]));
}
