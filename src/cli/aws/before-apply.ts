import { TandemError } from '../../core/error.ts';
import { formatDuration } from '../../core/duration.ts';
import type { AwsIdentity, NameClash, QuotaUse, StackPlan, WorkFolder } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { printable } from '../text/printable.ts';
import { shellWord } from '../text/shell-word.ts';
import { timeOfDay } from '../text/time.ts';
import type { AwsApplication } from './application.ts';
import { forecastMs } from './plan-text.ts';

/**
 * Looks for what would stop an apply halfway: credentials that end before it does, names that something else has, and
 * quotas that what is planned would exceed. Throws CREDENTIALS_EXPIRING, NAME_TAKEN or QUOTA_EXCEEDED before anything is
 * made; what cannot be seen is a remark.
 */
export async function requireWayToTheEnd(
  context: CommandContext,
  application: AwsApplication,
  work: WorkFolder,
  plans: readonly StackPlan[],
): Promise<void> {
  const { identity, stacks } = application;
  requireLongCredentials(identity, context.clock.now(), forecastMs(plans, stacks));
  const [names, quotas] = await Promise.all([context.aws.nameClashes(plans), context.aws.quotaUse(plans)]);
  for (const { region, reason } of names.unseen) {
    context.note(`note: whether a name is free in ${region} is not known: ${printable(reason)}`);
  }
  for (const { region, reason } of quotas.unseen) {
    context.note(`note: whether a quota of ${region} suffices is not known: ${printable(reason)}`);
  }
  const isOneOfMany = application.config.regions.length > 1;
  for (const use of quotas.uses.filter(isShortLater)) context.note(`note: ${growthText(use, isOneOfMany)}`);
  requireFreeNames(names.clashes, application, work, plans);
  requireQuotas(quotas.uses);
}

/** More is usually all of an application, of which some say as much. */
const SHOWN_CLASHES = 20;

function requireFreeNames(
  clashes: readonly NameClash[],
  { stacks }: AwsApplication,
  work: WorkFolder,
  plans: readonly StackPlan[],
): void {
  if (clashes.length === 0) return;
  const importOf = ({ stack, address, importId }: NameClash): string[] => {
    if (importId === undefined) return [];
    // An import looks up all that the stack does, which is not there yet.
    if (plans.some(plan => plan.stack === stack && plan.isDeferred)) {
      return [`nothing can be imported into ${stack} before what it stands on is made`];
    }
    const folder = work.folderOf(stacks.find(({ name }) => name === stack)!);
    return [commandLine([work.program.name, `-chdir=${folder}`, 'import', address, importId])];
  };
  const lines = clashes.slice(0, SHOWN_CLASHES).map(clash => {
    const { region, title, name, state, command } = clash;
    const head = `  ${region}: ${title} ${name}${state === undefined ? '' : ` (${state})`}`;
    return [head, commandLine(command), ...importOf(clash)].join('\n    ');
  });
  const rest = clashes.length - lines.length;
  if (rest > 0) lines.push(`  and ${rest} more, which --json tells`);
  throw new TandemError(
    'NAME_TAKEN',
    'what this would make is there already under the same name, and in no state of this application, so nothing was made; ' +
      'give the application another name (`application` or `aws.namePrefix`), delete what is not needed (of what holds data, ' +
      `shown is how to look at it), or, where it is this application's own, import it:\n${lines.join('\n')}`,
    { data: { clashes } },
  );
}

function requireQuotas(uses: readonly QuotaUse[]): void {
  const exceeded = uses.filter(isExceeded);
  if (exceeded.length === 0) return;
  throw new TandemError(
    'QUOTA_EXCEEDED',
    'the account may not have as much as this would make, so nothing was made; ask AWS for more, or delete what is not ' +
      `needed:\n${exceeded.map(quotaText).join('\n')}`,
    { data: { exceeded } },
  );
}

function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
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

/** What adds nothing is no reason to refuse, whatever the quota is. */
function isExceeded({ adds, inUse, limit }: QuotaUse): boolean {
  return adds > 0 && inUse + adds > limit;
}

/** It suffices for what is applied now, and not for what autoscaling may do then. */
function isShortLater(use: QuotaUse): boolean {
  const { mayAdd = 0, inUse, limit } = use;
  return !isExceeded(use) && mayAdd > 0 && inUse + mayAdd > limit;
}

function growthText(use: QuotaUse, isOneOfMany: boolean): string {
  const { region, name, quotaCode, mayAdd = 0, inUse, limit } = use;
  const occasion = isOneOfMany ? ', as when this region takes over from another,' : '';
  return (
    `${region}: ${name} (${quotaCode}): autoscaling at its maximum${occasion} needs ${shown(inUse + mayAdd)} of ` +
    `${shown(limit)}: ${increaseCommand(use, inUse + mayAdd)}`
  );
}

function quotaText(use: QuotaUse): string {
  const { region, zone, name, adds, own, inUse, limit, quotaCode } = use;
  const added =
    own === undefined ? `${shown(adds)} to be made` : `${shown(adds)} more at the height of a deployment`;
  const ofOwn = own ? ` (${shown(own)} of it by the application itself)` : '';
  return (
    `  ${zone ?? region}: ${name} (${quotaCode}): ${shown(inUse)} in use${ofOwn} and ${added}, of ${shown(limit)}\n` +
    `    ${increaseCommand(use, inUse + adds)}`
  );
}

function increaseCommand({ region, serviceCode, quotaCode }: QuotaUse, needed: number): string {
  return (
    `aws service-quotas request-service-quota-increase --region ${region} --service-code ${serviceCode} ` +
    `--quota-code ${quotaCode} --desired-value ${Math.ceil(needed)}`
  );
}

/** Tasks are counted by quarters of a virtual CPU, and a share of them that runs on Spot by fractions. */
function shown(amount: number): string {
  return String(Math.ceil(amount * 100) / 100);
}
