import type { Config } from '../../model/config/schema.ts';
import type { RegionName } from '../../model/names.ts';
import { defineFoundation, hasFoundation } from './foundation-stack.ts';
import { defineGlobal } from './global-stack.ts';
import { literalValue } from './literal.ts';
import { privateBucket } from './modules/private-bucket.ts';
import { createNames } from './names.ts';
import { defineRegion } from './region-stack.ts';
import { Stack, type StateLocation, type TerraformDocument } from './stack.ts';

export interface SynthesisOptions {
  /** `s3`: each stack's state in a bucket of its own region; `local`: in a file, for a trial. */
  state: 's3' | 'local';
  /** Refuse to delete what holds state. Without it everything can be destroyed, contents and all. */
  protect: boolean;
}

export interface SynthesizedStack {
  /** `bootstrap-us-east-1`, `foundation`, `us-east-1`, `global`: also the name of its folder. */
  name: string;
  region: RegionName;
  document: TerraformDocument;
}

/** Keeps state for long enough to see what happened, and to go back. */
const STATE_VERSION_DAYS = 90;

/**
 * The configuration as Terraform root modules, in the order in which they are first applied: a state bucket for each
 * region (only for state in S3), what regions stand on (only where something does), each region, and what spans regions.
 * None reads another's state.
 */
export function synthesize(config: Config, options: SynthesisOptions): SynthesizedStack[] {
  return withoutStackTraces(() => stacksOf(config, options));
}

/**
 * cdktn notes for each of thousands of references where in the code it came from, with a full stack trace: most of the
 * time that synthesis takes, and nothing reads them. Errors that are thrown keep theirs.
 */
function withoutStackTraces<Result>(work: () => Result): Result {
  const { captureStackTrace } = Error;
  Error.captureStackTrace = () => undefined;
  try {
    return work();
  } finally {
    Error.captureStackTrace = captureStackTrace;
  }
}

function stacksOf(given: Config, options: SynthesisOptions): SynthesizedStack[] {
  const config = literalValue(given);
  const names = createNames(config);
  const stack = (name: string, region: RegionName, state: StateLocation) =>
    new Stack({ name, region, state, tags: tags(config), accountId: config.aws.accountId });
  const stateOf = (name: string, region: RegionName): StateLocation =>
    options.state === 'local'
      ? { kind: 'local' }
      : { kind: 's3', bucket: names.bucket('state', region), key: `${name}.tfstate` };

  const bootstraps = config.regions.map(region => {
    const bootstrap = stack(`bootstrap-${region}`, region, { kind: 'local' });
    privateBucket(bootstrap, 'state', {
      name: names.bucket('state', region),
      keepVersionsDays: STATE_VERSION_DAYS,
      protect: options.protect,
    });
    return bootstrap;
  });
  const regions = config.regions.map(region => {
    const made = stack(region, region, stateOf(region, region));
    defineRegion(made, { config, names, protect: options.protect });
    return made;
  });
  const primary = config.regions[0]!;
  const foundation = stack('foundation', primary, stateOf('foundation', primary));
  if (hasFoundation(config)) defineFoundation(foundation, config);
  const global = stack('global', primary, stateOf('global', primary));
  defineGlobal(global, { config, names });

  const all = [
    ...(options.state === 's3' ? bootstraps : []),
    ...(hasFoundation(config) ? [foundation] : []),
    ...regions,
    global,
  ];
  return all.map(made => ({ name: made.node.id, region: made.region, document: made.document() }));
}

/** On everything that can carry tags; what belongs to one environment says so instead of `shared`. */
function tags(config: Config): Record<string, string> {
  return {
    Customer: config.customer,
    Application: config.application,
    Environment: 'shared',
    Owner: config.owner,
    CostCenter: config.costCenter,
    ManagedBy: 'tandem',
  };
}
