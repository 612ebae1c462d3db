import type { InfrastructureStack, StackOutcome, StackPlan } from '../../model/infrastructure.ts';
import { terraformOptions, type AwsApplication, type TerraformOptions } from '../aws/application.ts';
import { requireWayToTheEnd } from '../aws/before-apply.ts';
import { confirmByYes } from '../aws/confirm.ts';
import { keepDeployed } from '../aws/keep-deployed.ts';
import { openForPlan } from '../aws/open-for-plan.ts';
import { openWorkFolder, type TerraformSession } from '../aws/open-work-folder.ts';
import { planStacks, plansOf, reportPlans, reportStackFailures } from '../aws/plan-stacks.ts';
import { countsOf } from '../aws/plan-text.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, worst, type ExitCode } from '../exit-code.ts';
import { errorReport } from '../failures.ts';
import { yesOption } from '../option-values.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';

interface Options extends TerraformOptions {
  yes: boolean;
  all: boolean;
}

export const deploy = defineCommand<Options>({
  name: 'deploy',
  summary: 'Bring the application’s infrastructure on AWS to what the configuration says',
  details:
    'Shows the plan of all regions as one, looks whether names are free, and quotas and credentials suffice for it, ' +
    'asks, and applies exactly that, all regions at once. A region that fails stops ' +
    'no other; what was made stays, and saying it again goes on from there. Ctrl-C ends Terraform in good order.',
  examples: ['tandem deploy', 'tandem deploy --yes --json', 'tandem deploy --region us-west-2'],
  options: [
    yesOption,
    { flags: '--all', description: 'name every resource to be added', default: false },
    ...terraformOptions,
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, options) {
    const application = await openForPlan(context, options);
    await using session = await openWorkFolder(context, options);
    context.note(`${session.work.program.name} ${session.work.program.version}`);
    const { stacks } = application;
    const planned = await planStacks(context, session.work, stacks, { mode: 'normal', view: session.view });
    const report = await reportPlans(context, application, planned, {
      showsAll: options.all,
      isResult: false,
    });
    context.note('');
    for (const line of report.lines) context.note(line);
    const plans = plansOf(planned);
    const unplanned = reportStackFailures(context, planned);
    if (plans.length === 0) {
      if (context.json) context.printJson(report.json);
      return unplanned;
    }
    await requireWayToTheEnd(context, application, session.work, plans);
    if (!options.yes && plans.some(({ isApplicable }) => isApplicable)) {
      context.note('');
      await confirmByYes(
        context,
        unplanned === EXIT.done ? 'Apply this?' : 'Apply this, without what failed?',
      );
    }
    const applied = await applyPlans(context, session, stacks, plans);
    const kept = await keepDeployed(context, application, session.work, options, applied);
    return worst([unplanned, kept, reportDeployment(context, application, { planned, applied })]);
  },
});

async function applyPlans(
  context: CommandContext,
  { work, view }: TerraformSession,
  stacks: readonly InfrastructureStack[],
  plans: readonly StackPlan[],
): Promise<StackOutcome<Record<string, unknown>>[]> {
  const planned = stacks.filter(({ name }) => plans.some(({ stack }) => stack === name));
  for (const plan of plans) {
    const counts = countsOf(plan);
    view.expect(plan.stack, counts.add + counts.change + counts.delete + 2 * counts.replace);
    view.wait(plan.stack);
  }
  try {
    return await work.apply(planned, 'apply');
  } finally {
    view.end({ keep: true });
  }
}

interface Deployment {
  planned: readonly StackOutcome<StackPlan>[];
  applied: readonly StackOutcome<Record<string, unknown>>[];
}

function reportDeployment(
  context: CommandContext,
  { stacks }: AwsApplication,
  deployment: Deployment,
): ExitCode {
  const { planned, applied } = deployment;
  if (context.json) {
    context.printJson({ stacks: stacks.map(stack => stackAsJson(stack, deployment)) });
  } else {
    for (const line of addressLines(context, applied)) context.print(line);
  }
  const exitCode = reportStackFailures(context, applied);
  const unfinished = [...planned, ...applied].filter(({ state }) => state !== 'done');
  const regions = new Set(unfinished.map(({ stack }) => stack.region));
  if (regions.size > 0) {
    const done = applied.filter(({ state }) => state === 'done').length;
    context.note('');
    context.note(`${done} of ${stacks.length} stacks are done and stay. To go on once it is mended:`);
    context.note(`  tandem deploy${[...regions].map(region => ` --region ${region}`).join('')}`);
  }
  return exitCode;
}

function stackAsJson(stack: InfrastructureStack, { planned, applied }: Deployment): object {
  const plan = planned.find(outcome => outcome.stack.name === stack.name)!;
  const outcome = plan.state === 'done' ? applied.find(other => other.stack.name === stack.name)! : plan;
  const place = { stack: stack.name, region: stack.region };
  if (outcome.state === 'failed') return { ...place, state: 'failed', error: errorReport(outcome.error) };
  if (outcome.state === 'skipped') return { ...place, state: 'skipped', because: outcome.because };
  const { isApplicable } = plan.state === 'done' ? plan.value : { isApplicable: true };
  return { ...place, state: isApplicable ? 'applied' : 'unchanged', outputs: outcome.value };
}

/** Every address that the stacks tell: outputs whose name ends in `url`. */
function addressLines(
  { paint }: CommandContext,
  applied: readonly StackOutcome<Record<string, unknown>>[],
): string[] {
  const rows = applied.flatMap(outcome => {
    if (outcome.state !== 'done') return [];
    const addresses = Object.entries(outcome.value).filter(([name]) => /(^|_)url$/.test(name));
    return addresses.map(([name, value], index) => [
      index === 0 ? paint.bold(outcome.stack.name) : '',
      name.replace(/_?url$/, '').replaceAll('_', ' '),
      paint.cyan(printable(String(value))),
    ]);
  });
  return table(rows);
}
