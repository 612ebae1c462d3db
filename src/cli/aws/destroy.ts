import { TandemError } from '../../core/error.ts';
import type { InfrastructureStack, Leftover, StackOutcome, StackPlan } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, exitCodeOfError, worst, type ExitCode } from '../exit-code.ts';
import { printError } from '../failures.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import { identityText, openApplication, type AwsApplication, type TerraformOptions } from './application.ts';
import { confirmByName } from './confirm.ts';
import { openWorkFolder, type TerraformSession } from './open-work-folder.ts';
import { planStacks, plansOf, reportStackFailures } from './plan-stacks.ts';
import { forecastText } from './plan-text.ts';
import { leftoverLines, priceLeftovers } from './leftover-text.ts';

export interface DestroyOptions extends TerraformOptions {
  yes: boolean;
}

/**
 * Deletes everything of the application on AWS, then looks in every region for what is left. Whatever state it finds, it
 * goes on from there: what is gone is skipped.
 */
export async function destroyOnAws(context: CommandContext, options: DestroyOptions): Promise<ExitCode> {
  const application = await openApplication(context, { ...options, protect: false });
  const { stacks, identity, config } = application;
  context.note(identityText(identity));
  await using session = await openWorkFolder(context, options);
  const planned = exceptNeverMade(
    await planStacks(context, session.work, stacks, { mode: 'destroy', view: session.view }),
  );
  const plans = plansOf(planned).filter(({ changes }) => changes.length > 0);
  const unplanned = reportStackFailures(context, planned);
  if (plans.length > 0) {
    for (const line of whatGoes(context, application, plans)) context.note(line);
    if (!options.yes) await confirmByName(context, config.application);
  } else {
    context.note('nothing is recorded in any state; the buckets of the states go');
    if (!options.yes) await confirmByName(context, config.application);
  }
  const destroyed = await destroyStacks(context, session, stacks, plans);
  const failed = worst([unplanned, reportStackFailures(context, destroyed)]);
  const isInterrupted = session.stopped.aborted;
  const standing = new Set(
    [...planned, ...destroyed].filter(({ state }) => state !== 'done').map(({ stack }) => stack.region),
  );
  const swept = isInterrupted ? EXIT.done : await sweep(context, application, options, standing);
  const inventory = isInterrupted ? undefined : await context.aws.takeInventory(config);
  // What other regions hold is not left over: it was not to go.
  const isChosen = ({ region }: { region: RegionName }) =>
    context.chosenRegions.length === 0 || context.chosenRegions.includes(region);
  return reportEnd(context, application, {
    failed: worst([failed, swept]),
    standing,
    leftovers: (inventory?.leftovers ?? []).filter(isChosen),
    unseen: (inventory?.unseen ?? []).filter(isChosen),
    isInterrupted,
  });
}

/** A stack without a bucket for its state was never applied, or is gone with all of its region. */
function exceptNeverMade(planned: readonly StackOutcome<StackPlan>[]): StackOutcome<StackPlan>[] {
  return planned.filter(
    outcome =>
      !(
        outcome.state === 'failed' &&
        outcome.error instanceof TandemError &&
        outcome.error.code === 'STATE_BUCKET_MISSING'
      ),
  );
}

/** Types that hold what cannot be made again. */
const HOLDING: Readonly<Record<string, string>> = {
  aws_codecommit_repository: 'repository, with all its commits',
  aws_db_instance: 'database, with all its data',
  aws_dynamodb_table: 'table, with all its items',
  aws_ecr_repository: 'registry, with all its images',
  aws_rds_cluster: 'database, with all its data',
  aws_s3_bucket: 'bucket, with all its objects and versions',
  aws_secretsmanager_secret: 'secret',
};

function whatGoes(
  { progressPaint: paint }: CommandContext,
  { stacks, config }: AwsApplication,
  plans: readonly StackPlan[],
): string[] {
  const counts = plans.map(({ stack, changes }) => [stack, `${changes.length} resources`]);
  const holding = plans.flatMap(({ stack, existing }) =>
    existing.flatMap(({ address, type, values }) => {
      const what = HOLDING[type];
      const names = [
        values['bucket'],
        values['repository_name'],
        values['name'],
        values['identifier'],
        address,
      ];
      const name = names.find(value => typeof value === 'string');
      return what === undefined ? [] : [[name ?? address, what, stack]];
    }),
  );
  return [
    '',
    paint.bold(paint.red(`TO BE DELETED: ${config.application} on AWS`)),
    ...table(counts, '  '),
    ...(holding.length === 0 ? [] : ['', paint.red('and with them, for good:'), ...table(holding, '  ')]),
    '',
    `time  ${forecastText(plans, reversed(stacks))}`,
    '',
  ];
}

/** What must come after in deletion is what must come before in creation. */
function reversed(stacks: readonly InfrastructureStack[]): InfrastructureStack[] {
  return stacks.map(stack => ({
    ...stack,
    after: stacks.filter(({ after }) => after?.includes(stack.name)).map(({ name }) => name),
  }));
}

async function destroyStacks(
  context: CommandContext,
  { work, view }: TerraformSession,
  stacks: readonly InfrastructureStack[],
  plans: readonly StackPlan[],
): Promise<StackOutcome<unknown>[]> {
  const chosen = stacks.filter(({ name }) => plans.some(({ stack }) => stack === name));
  for (const { stack, changes } of plans) {
    view.expect(stack, changes.length);
    view.wait(stack);
  }
  try {
    await Promise.all(
      plans.map(plan => context.aws.prepareForDeletion(plan, what => view.note(`${plan.stack}  ${what}`))),
    );
    return await work.apply(chosen, 'destroy');
  } finally {
    view.end({ keep: true });
  }
}

/** What Terraform does not know of: what AWS and releases made, and the buckets of the states themselves. */
async function sweep(
  context: CommandContext,
  { config, identity, stacks }: AwsApplication,
  { localState }: DestroyOptions,
  standing: ReadonlySet<RegionName>,
): Promise<ExitCode> {
  const regions = [...new Set(stacks.map(({ region }) => region))].filter(region => !standing.has(region));
  const codes = await Promise.all(
    regions.map(async region => {
      try {
        for (const done of await context.aws.deleteByproducts(config, region))
          context.note(`${region}  ${done}`);
        if (localState) return EXIT.done;
        const own = stacks.filter(stack => stack.region === region);
        const { bucket, others } = await context.aws.removeStateBucket(own, identity.accountId);
        context.note(
          others.length === 0
            ? `${region}  deleted bucket ${bucket}`
            : `${region}  bucket ${bucket} stays, for it holds ${others.join(', ')}`,
        );
        return EXIT.done;
      } catch (error) {
        printError(context.stderr, context.progressPaint, error, region);
        return exitCodeOfError(error);
      }
    }),
  );
  return worst(codes);
}

interface Ending {
  failed: ExitCode;
  standing: ReadonlySet<RegionName>;
  leftovers: readonly Leftover[];
  unseen: readonly { region: RegionName; reason: string }[];
  isInterrupted: boolean;
}

async function reportEnd(
  context: CommandContext,
  { config }: AwsApplication,
  ending: Ending,
): Promise<ExitCode> {
  const { failed, standing, leftovers, unseen, isInterrupted } = ending;
  const priced = await priceLeftovers(context, config, leftovers);
  if (context.json) {
    context.printJson({
      deleted: failed === EXIT.done && leftovers.length === 0 && unseen.length === 0,
      standing: [...standing],
      leftovers: priced,
      unseen,
    });
  } else if (isInterrupted) {
    context.note('interrupted: what was not deleted yet stands. To go on: tandem destroy --target aws');
  } else if (leftovers.length === 0 && unseen.length === 0 && failed === EXIT.done) {
    context.print('deleted: AWS knows nothing of it any more, in any region');
  } else {
    for (const line of leftoverLines(priced, context.paint)) context.print(line);
    const again = [...standing].map(region => ` --region ${region}`).join('');
    context.note('');
    for (const { region, reason } of unseen)
      context.note(`${region} could not be searched: ${printable(reason)}`);
    context.note('AWS may list for some minutes what is gone already. To go on, and look again:');
    context.note(`  tandem destroy --target aws${again}`);
  }
  return worst([
    failed,
    leftovers.length === 0 ? EXIT.done : EXIT.failed,
    isInterrupted || unseen.length > 0 ? EXIT.unknown : EXIT.done,
  ]);
}
