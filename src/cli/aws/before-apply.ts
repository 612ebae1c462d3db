import { TandemError } from '../../core/error.ts';
import { formatDuration } from '../../core/duration.ts';
import type { AwsIdentity, QuotaUse, StackPlan } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { printable } from '../text/printable.ts';
import { timeOfDay } from '../text/time.ts';
import type { AwsApplication } from './application.ts';
import { forecastMs } from './plan-text.ts';

/**
 * Looks for what would stop an apply halfway: quotas that what is planned would exceed, and credentials that end before it
 * does. Throws QUOTA_EXCEEDED or CREDENTIALS_EXPIRING before anything is made; what cannot be seen is a remark.
 */
export async function requireWayToTheEnd(
  context: CommandContext,
  { identity, stacks }: AwsApplication,
  plans: readonly StackPlan[],
): Promise<void> {
  requireLongCredentials(identity, context.clock.now(), forecastMs(plans, stacks));
  const { uses, unseen } = await context.aws.quotaUse(plans);
  for (const { region, reason } of unseen) {
    context.note(`note: whether a quota of ${region} suffices is not known: ${printable(reason)}`);
  }
  const exceeded = uses.filter(({ adds, inUse, limit }) => inUse + adds > limit);
  if (exceeded.length === 0) return;
  throw new TandemError(
    'QUOTA_EXCEEDED',
    'the account may not have as much as this would make, so nothing was made; ask AWS for more, or delete what is not ' +
      `needed:\n${exceeded.map(quotaText).join('\n')}`,
    { data: { exceeded } },
  );
}

function requireLongCredentials({ expiresAt }: AwsIdentity, now: number, durationMs: number): void {
  if (expiresAt === undefined || now + durationMs < expiresAt) return;
  throw new TandemError(
    'CREDENTIALS_EXPIRING',
    `the credentials end at ${timeOfDay(expiresAt)}, and applying this takes about ${formatDuration(durationMs)}: sign in again, ` +
      'so that it does not end halfway; nothing was made',
    { data: { expiresAt, forecastMs: durationMs } },
  );
}

function quotaText({
  region,
  zone,
  name,
  adds,
  own,
  inUse,
  limit,
  serviceCode,
  quotaCode,
}: QuotaUse): string {
  const added =
    own === undefined ? `${shown(adds)} to be made` : `${shown(adds)} more at the height of a deployment`;
  const ofOwn = own ? ` (${shown(own)} of it by the application itself)` : '';
  return (
    `  ${zone ?? region}: ${name} (${quotaCode}): ${shown(inUse)} in use${ofOwn} and ${added}, of ${shown(limit)}\n` +
    `    aws service-quotas request-service-quota-increase --region ${region} --service-code ${serviceCode} ` +
    `--quota-code ${quotaCode} --desired-value ${Math.ceil(inUse + adds)}`
  );
}

/** Tasks are counted by quarters of a virtual CPU, and a share of them that runs on Spot by fractions. */
function shown(amount: number): string {
  return String(Math.ceil(amount * 100) / 100);
}
