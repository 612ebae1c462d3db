import { terraformOptions, type TerraformOptions } from '../aws/application.ts';
import { openForPlan } from '../aws/open-for-plan.ts';
import { openWorkFolder } from '../aws/open-work-folder.ts';
import { planStacks, reportPlans, reportStackFailures } from '../aws/plan-stacks.ts';
import { defineCommand } from '../command.ts';

export const plan = defineCommand<TerraformOptions & { all: boolean }>({
  name: 'plan',
  summary: 'Show what a deployment to AWS would change, and change nothing',
  details:
    'All stacks are planned at once and shown as one plan: what would be replaced or deleted first, then what would ' +
    'change, then what would be added, with the cost of a month and about how long it would take.',
  examples: ['tandem plan', 'tandem plan --region us-west-2', 'tandem plan --json'],
  options: [
    { flags: '--all', description: 'name every resource to be added', default: false },
    ...terraformOptions,
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, options) {
    const application = await openForPlan(context, options);
    await using session = await openWorkFolder(context, options);
    const { work, view } = session;
    const outcomes = await planStacks(context, work, application.stacks, { mode: 'normal', view });
    const report = await reportPlans(context, application, outcomes, {
      showsAll: options.all,
      isResult: true,
    });
    if (context.json) context.printJson({ accountId: application.identity.accountId, ...report.json });
    else for (const line of report.lines) context.print(line);
    return reportStackFailures(context, outcomes);
  },
});
