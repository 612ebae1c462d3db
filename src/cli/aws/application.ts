import { nearest } from '../../core/nearest.ts';
import { TandemError } from '../../core/error.ts';
import type { Cloud } from '../../model/cloud.ts';
import type { Config } from '../../model/config/schema.ts';
import type { AwsIdentity, InfrastructureStack } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { OptionDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { timeOfDay } from '../text/time.ts';

/** The application as it is to be on AWS: whose account, and which stacks the command is about. */
export interface AwsApplication {
  config: Config;
  identity: AwsIdentity;
  /** Those of `--region`, else all. */
  stacks: InfrastructureStack[];
}

/** The options of every command that runs Terraform. */
export interface TerraformOptions {
  terraform?: string;
  localState: boolean;
}

export const terraformOptions: readonly OptionDefinition[] = [
  {
    flags: '--terraform <program>',
    description: 'terraform, tofu, or a path (default: $TANDEM_TERRAFORM, or whichever is there)',
  },
  {
    flags: '--local-state',
    description: 'keep state in files of the data folder, not in S3: for a trial',
    default: false,
  },
];

/** The application as it runs on AWS. Throws ACCOUNT_MISMATCH before anything is asked in the wrong account. */
export async function openCloud(context: CommandContext): Promise<Cloud> {
  const { config } = await openAccount(context);
  return context.aws.cloud(config);
}

/**
 * Reads the configuration, asks AWS whose credentials these are, and describes the stacks. Throws ACCOUNT_MISMATCH before
 * anything is read or written in the wrong account, and REGION_UNKNOWN.
 */
export async function openApplication(
  context: CommandContext,
  { localState, protect }: { localState: boolean; protect: boolean },
): Promise<AwsApplication> {
  const { config, identity } = await openAccount(context);
  const all = await context.aws.stacks(config, { state: localState ? 'local' : 's3', protect });
  const chosen = context.chosenRegions;
  return {
    config,
    identity,
    stacks: chosen.length === 0 ? all : all.filter(({ region }) => chosen.includes(region)),
  };
}

async function openAccount(context: CommandContext): Promise<Pick<AwsApplication, 'config' | 'identity'>> {
  const given = await context.config();
  requireKnownRegions(context, given);
  const identity = await identifyIn(context, given.regions);
  requireAccount(given, identity);
  // Names of buckets have the account in them: nobody else can have taken them first.
  return { config: { ...given, aws: { ...given.aws, accountId: identity.accountId } }, identity };
}

/** `account 123456789012, as ada (until 2026-11-23 05:00:00Z)`. */
export function identityText({ accountId, arn, expiresAt }: AwsIdentity): string {
  const who = arn.split(':').at(-1) ?? arn;
  const until = expiresAt === undefined ? '' : ` (until ${timeOfDay(expiresAt)})`;
  return `account ${accountId}, as ${who}${until}`;
}

/** Asks the next region where one does not answer: credentials are the same in all. */
async function identifyIn(
  context: CommandContext,
  [region, ...others]: readonly RegionName[],
): Promise<AwsIdentity> {
  try {
    return await context.aws.identify(region!);
  } catch (error) {
    const isUnreachable = error instanceof TandemError && error.code === 'AWS_UNREACHABLE';
    if (!isUnreachable || others.length === 0) throw error;
    return identifyIn(context, others);
  }
}

function requireAccount({ aws }: Config, { accountId, arn }: AwsIdentity): void {
  if (aws.accountId === '' || aws.accountId === accountId) return;
  throw new TandemError(
    'ACCOUNT_MISMATCH',
    `the configuration belongs in account ${aws.accountId}, and these credentials are of ${accountId} (${arn}): ` +
      'set AWS_PROFILE to a profile of that account, or mend aws.accountId',
    { data: { expected: aws.accountId, found: accountId, arn } },
  );
}

function requireKnownRegions({ chosenRegions }: CommandContext, { regions }: Config): void {
  const known: readonly string[] = regions;
  for (const region of chosenRegions) {
    if (known.includes(region)) continue;
    const near = nearest(region, known);
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    throw new TandemError(
      'REGION_UNKNOWN',
      `there is no region ${region} here, only ${known.join(', ')}${meant}`,
      { data: { region, known } },
    );
  }
}
