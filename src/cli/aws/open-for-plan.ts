import { TandemError } from '../../core/error.ts';
import type { ReplicationRule } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { printable } from '../text/printable.ts';
import { identityText, openApplication, type AwsApplication, type TerraformOptions } from './application.ts';

/** How every command begins that plans what is to be: whose account, which stacks, and that nobody else's rules are lost. */
export async function openForPlan(
  context: CommandContext,
  options: TerraformOptions,
): Promise<AwsApplication> {
  const application = await openApplication(context, { ...options, protect: true });
  context.note(identityText(application.identity));
  await requireOwnReplication(context, application);
  return application;
}

/**
 * Makes sure that nobody else's rules are overwritten: a registry has one replication configuration, and Terraform would
 * replace it without a word. Throws REPLICATION_FOREIGN before anything is planned.
 */
async function requireOwnReplication(
  context: CommandContext,
  { config, identity, stacks }: AwsApplication,
): Promise<void> {
  if (config.registry.replication === 'external' || config.regions.length === 1) return;
  const regions = [...new Set(stacks.map(({ region }) => region))];
  const { rules, unseen } = await context.aws.foreignReplication(config, regions, identity.accountId);
  for (const { region, reason } of unseen) {
    context.note(
      `note: what else the registry of ${region} replicates is not known, it does not answer: ${printable(reason)}`,
    );
  }
  if (rules.length === 0) return;
  throw new TandemError(
    'REPLICATION_FOREIGN',
    `the registry replicates for others too, and these rules would be lost:\n${rules.map(ruleText).join('\n')}\n` +
      'a registry has one replication configuration: take what they replicate into registry.replicateAlso, or leave them ' +
      "in charge with registry.replication: 'external' and have them add a rule for this application; a rule that nobody " +
      'needs is taken out with `aws ecr put-replication-configuration`',
    { data: { rules } },
  );
}

function ruleText({ region, filters, destinations }: ReplicationRule): string {
  const what = filters.length === 0 ? 'every repository' : filters.map(filter => `${filter}*`).join(', ');
  const where = destinations.map(place => `${place.region} of ${place.registryId}`).join(', ');
  return `  ${region}: ${what} to ${where}`;
}
