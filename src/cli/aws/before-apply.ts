import { TandemError } from '../../core/error.ts';
import { formatDuration } from '../../core/duration.ts';
import type { AwsIdentity, QuotaDemand, QuotaUse, StackPlan } from '../../model/infrastructure.ts';
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
  const demands = demandsOf(plans);
  if (demands.length === 0) return;
  const { uses, unseen } = await context.aws.quotaUse(demands);
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

/** How many of each type every region would have more. */
function demandsOf(plans: readonly StackPlan[]): QuotaDemand[] {
  const demands = new Map<string, QuotaDemand>();
  for (const { region, changes } of plans) {
    for (const { type, action } of changes) {
      if (action !== 'create') continue;
      const key = `${region} ${type}`;
      const { adds = 0 } = demands.get(key) ?? {};
      demands.set(key, { region, type, adds: adds + 1 });
    }
  }
  return [...demands.values()];
}

function quotaText({ region, name, adds, inUse, limit, serviceCode, quotaCode }: QuotaUse): string {
  return (
    `  ${region}: ${name}: ${inUse} in use and ${adds} to be made, of ${limit}\n` +
    `    aws service-quotas request-service-quota-increase --region ${region} --service-code ${serviceCode} ` +
    `--quota-code ${quotaCode} --desired-value ${inUse + adds}`
  );
}
