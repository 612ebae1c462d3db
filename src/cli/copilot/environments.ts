import type { Environment } from '../../model/names.ts';
import { isRecord, type Manifest } from './manifest.ts';

/** Which of Copilot's environments stands for which of Tandem's; several may be meant, the first is taken. */
export type Assignment = Partial<Record<Environment, string>>;

const WORDS: Readonly<Record<Environment, RegExp>> = {
  production: /^(prod|production|prd|live)$/,
  staging: /^(staging|stage|stg|test|testing|qa|uat|acceptance|preprod|pre|beta)$/,
  dev: /^(dev|development|develop|sandbox|sbx)$/,
};

/**
 * Copilot's environments have any names, Tandem's are three. Names decide; where they do not, the order of the
 * pipeline does: its last stage is production, the one before it staging.
 *
 * @param names every environment that the workspace knows
 * @param stages those of the pipeline, in its order
 */
export function assignEnvironments(names: readonly string[], stages: readonly string[]): Assignment {
  const ordered = [...stages, ...names.filter(name => !stages.includes(name))];
  const assignment: Assignment = {};
  const take = (environment: Environment, name: string | undefined) => {
    if (name === undefined || Object.values(assignment).includes(name)) return;
    assignment[environment] ??= name;
  };
  for (const environment of ['staging', 'production', 'dev'] as const) {
    take(
      environment,
      ordered.find(name => wordsOf(name).some(word => WORDS[environment].test(word))),
    );
  }
  const unnamed = ordered.filter(name => !Object.values(assignment).includes(name));
  const byStages = stages.filter(name => unnamed.includes(name) && !isNamed(name));
  take('production', byStages.at(-1));
  take('staging', byStages.filter(name => name !== assignment.production).at(-1));
  return assignment;
}

function isNamed(name: string): boolean {
  return wordsOf(name).some(word => Object.values(WORDS).some(form => form.test(word)));
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().split(/[-_]/);
}

/** A service's manifest as it holds in one environment: its overrides laid over, Copilot's own variables filled in. */
export function manifestIn(
  { value }: Manifest,
  environment: string | undefined,
  application: string,
): Record<string, unknown> {
  const { environments, ...base } = value;
  const override =
    environment !== undefined && isRecord(environments) ? environments[environment] : undefined;
  const known: Record<string, string | undefined> = {
    COPILOT_APPLICATION_NAME: application,
    COPILOT_ENVIRONMENT_NAME: environment,
  };
  const filled = fill(isRecord(override) ? overlay(base, override) : base, known);
  return filled as Record<string, unknown>;
}

/** Maps merge, anything else is replaced, as Copilot does it; either form of `count` or `healthcheck` takes the other's place. */
function overlay(base: Record<string, unknown>, override: Record<string, unknown>): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(override)) {
    const below = result[key];
    result[key] = isRecord(value) && isRecord(below) ? overlay(below, value) : value;
  }
  // `spot` and `range` exclude each other: the one that the environment sets wins.
  if ('spot' in override) delete result['range'];
  else if ('range' in override) delete result['spot'];
  return result;
}

function fill(value: unknown, known: Record<string, string | undefined>): unknown {
  if (typeof value === 'string')
    return value.replaceAll(/\$\{(\w+)\}/g, (all, name: string) => known[name] ?? all);
  if (Array.isArray(value)) return value.map(entry => fill(entry, known));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, known)]));
}
