import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAwsCost } from '../../src/aws-cost.ts';
import { createAwsOperations } from '../../src/aws-operations.ts';
import type { AwsOperations } from '../../src/cli/aws-operations.ts';
import { runCli, type CommandRun, type RunOptions } from '../../src/cli/testing/command-run.ts';
import type { ConfigInput } from '../../src/model/config/schema.ts';
import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { environment } from '../../src/platform/process.ts';
import { startMoto, type Moto } from './moto.ts';
import { project } from './projection.ts';
import type { Tools } from './terraform.ts';

/**
 * An AWS account that moto plays, and the command line at work in it. All is as it is on AWS but for the projection, and
 * for the provider, which comes from a folder.
 */
export interface EmulatedAccount extends AsyncDisposable {
  moto: Moto;
  /** Names of what the projection took away. */
  removed: ReadonlySet<string>;
  /** Another configuration from now on. */
  configure(input: ConfigInput): Promise<void>;
  /** One command line, in the folder of the configuration. */
  tandem(argv: readonly string[], options?: RunOptions): Promise<CommandRun>;
}

export async function openEmulatedAccount(
  input: ConfigInput,
  { pluginFolder }: Tools,
): Promise<EmulatedAccount> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-account-'));
  const moto = await startMoto();
  const removed = new Set<string>();
  await mkdir(join(folder, 'plugins'));
  await writeFile(
    join(folder, 'terraform.rc'),
    `provider_installation {\n  filesystem_mirror {\n    path = "${pluginFolder}"\n  }\n}\n`,
  );
  const configure = (given: ConfigInput) =>
    writeFile(join(folder, 'tandem.config.ts'), `export default ${JSON.stringify(given)};\n`);
  await configure(input);
  const earlier = { ...environment };
  Object.assign(environment, {
    AWS_ENDPOINT_URL: moto.endpoint,
    AWS_ACCESS_KEY_ID: 'emulated',
    AWS_SECRET_ACCESS_KEY: 'emulated',
    AWS_EC2_METADATA_DISABLED: 'true',
    TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'),
    TF_PLUGIN_CACHE_DIR: join(folder, 'plugins'),
    // Most of the time is the provider's waiting.
    TF_CLI_ARGS_apply: '-parallelism=40',
  });
  return {
    moto,
    removed,
    configure,
    tandem: (argv, options) =>
      runCli(argv, {
        workingFolder: folder,
        environment: { NO_COLOR: '1' },
        clock: systemClock,
        cost: createAwsCost(),
        aws: projected(createAwsOperations(), removed),
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      for (const name of Object.keys(environment)) if (!(name in earlier)) delete environment[name];
      Object.assign(environment, earlier);
      await moto[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The one place where the emulated account is not AWS. */
function projected(aws: AwsOperations, removed: Set<string>): AwsOperations {
  return {
    ...aws,
    stacks: async (config, options) =>
      (await aws.stacks(config, options)).map(stack => ({
        ...stack,
        document: project(stack.document as TerraformDocument, { isMoto: true, removed }),
      })),
  };
}
