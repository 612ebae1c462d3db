import type { Config } from '../../model/config/schema.ts';
import type { Environment, RegionName } from '../../model/names.ts';
import { defineEnvironment } from './environment-stack.ts';
import { databasesOf, relational } from './environment-data.ts';
import { environmentsIn } from './environments.ts';
import { defineFoundation, hasFoundation } from './foundation-stack.ts';
import { defineGlobal } from './global-stack.ts';
import { literalValue } from './literal.ts';
import { backend } from './modules/backend.ts';
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
  /** `bootstrap-us-east-1`, `foundation`, `us-east-1`, `us-east-1-production`, `global`: also the name of its folder. */
  name: string;
  region: RegionName;
  /** Stacks that must be there before this one is planned, and gone only after it. Nothing else depends on the order. */
  after: string[];
  document: TerraformDocument;
}

/** Keeps state for long enough to see what happened, and to go back. */
const STATE_VERSION_DAYS = 90;

/**
 * The configuration as Terraform root modules, in the order in which they are first applied: a state bucket for each
 * region (only for state in S3), what regions stand on (only where something does), what each region shares, its
 * environments, and what spans regions. None reads another's state.
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
  const { protect } = options;
  const primary = config.regions[0]!;
  const made: SynthesizedStack[] = [];
  const bootstrapOf = (region: RegionName) => `bootstrap-${region}`;
  const stateBucket = (region: RegionName) => (options.state === 's3' ? [bootstrapOf(region)] : []);
  const add = (
    place: Pick<SynthesizedStack, 'name' | 'region' | 'after'> & { environment?: Environment },
    define: (stack: Stack) => void,
  ) => {
    const { name, region, environment, after } = place;
    const state: StateLocation =
      options.state === 'local' || name === bootstrapOf(region)
        ? { kind: 'local' }
        : { kind: 's3', bucket: names.bucket('state', region), key: `${name}.tfstate` };
    const stack = new Stack({
      name,
      region,
      state,
      tags: tags(config, environment ?? 'shared'),
      accountId: config.aws.accountId,
    });
    define(stack);
    made.push({ name, region, after, document: stack.document() });
  };

  if (options.state === 's3') {
    for (const region of config.regions) {
      add({ name: bootstrapOf(region), region, after: [] }, stack =>
        backend(stack, 'state', {
          bucketName: names.bucket('state', region),
          keepVersionsDays: STATE_VERSION_DAYS,
          protect,
        }),
      );
    }
  }
  const foundation = hasFoundation(config) ? ['foundation'] : [];
  for (const name of foundation) {
    add({ name, region: primary, after: stateBucket(primary) }, stack =>
      defineFoundation(stack, { config, names, protect }),
    );
  }
  for (const region of config.regions) {
    add({ name: region, region, after: stateBucket(region) }, stack =>
      defineRegion(stack, { config, names, protect }, options.state === 's3' ? statesIn(config, region) : []),
    );
  }
  const environments = config.regions.flatMap(region =>
    environmentsIn(config, region).map(environment => {
      const name = `${region}-${environment}`;
      const after = [region, ...foundation, ...databaseSource(config, environment, region)];
      add({ name, region, environment, after }, stack =>
        defineEnvironment(stack, { config, names, protect, environment }),
      );
      return name;
    }),
  );
  // Route 53 takes no alias of a record that is not there yet.
  add(
    {
      name: 'global',
      region: primary,
      after: [...stateBucket(primary), ...(config.domain.name === '' ? [] : environments)],
    },
    stack => defineGlobal(stack, { config, names, protect }),
  );
  return made;
}

/** The stacks whose states lie in a region. */
function statesIn(config: Config, region: RegionName): string[] {
  const isPrimary = region === config.regions[0];
  return [
    ...(isPrimary && hasFoundation(config) ? ['foundation'] : []),
    region,
    ...environmentsIn(config, region).map(environment => `${region}-${environment}`),
    ...(isPrimary ? ['global'] : []),
  ];
}

/** A copy of a relational database can only be made of one that is there. */
function databaseSource(config: Config, environment: Environment, region: RegionName): string[] {
  const primary = config.regions[0]!;
  const isCopied = databasesOf(config).some(other => other.environment === environment);
  return region !== primary && isCopied && relational(config) ? [`${primary}-${environment}`] : [];
}

/** On everything that can carry tags. */
function tags(config: Config, environment: Environment | 'shared'): Record<string, string> {
  return {
    Customer: config.customer,
    Application: config.application,
    Environment: environment,
    Owner: config.owner,
    CostCenter: config.costCenter,
    ManagedBy: 'tandem',
  };
}
