import type { PlannedChange, StackOutcome, StackPlan } from '../../model/infrastructure.ts';
import {
  identityText,
  openApplication,
  terraformOptions,
  type TerraformOptions,
} from '../aws/application.ts';
import { openWorkFolder } from '../aws/open-work-folder.ts';
import { planStacks, reportStackFailures } from '../aws/plan-stacks.ts';
import { realDrift } from '../../model/real-drift.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, worst } from '../exit-code.ts';
import { errorReport } from '../failures.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';

export const drift = defineCommand<TerraformOptions>({
  name: 'drift',
  summary: 'Show what was changed on AWS outside Terraform',
  details:
    'Compares all stacks at once with what is there, and changes nothing. What the pipeline and the autoscaler change ' +
    '(task definition, desired count, weights) is no drift. `tandem deploy` puts back what is. ' +
    'Exit codes: 0 nothing has drifted, 5 something has, 1 not all could be compared.',
  examples: ['tandem drift', 'tandem drift --region us-west-2', 'tandem drift --json || notify'],
  options: terraformOptions,
  takesRegion: true,
  isForAws: true,
  async run(context, options) {
    const application = await openApplication(context, { ...options, protect: true });
    context.note(identityText(application.identity));
    await using session = await openWorkFolder(context, options);
    const { work, view } = session;
    const outcomes = await planStacks(context, work, application.stacks, { mode: 'normal', view });
    const comparisons = outcomes.map(compare);
    if (context.json) context.printJson({ stacks: comparisons.map(asJson) });
    else comparisons.forEach(comparison => printComparison(context, comparison));
    const hasDrift = comparisons.some(({ changes }) => changes.length > 0);
    return worst([hasDrift ? EXIT.drift : EXIT.done, reportStackFailures(context, outcomes)]);
  },
});

interface Comparison {
  outcome: StackOutcome<StackPlan>;
  changes: PlannedChange[];
}

function compare(outcome: StackOutcome<StackPlan>): Comparison {
  return { outcome, changes: outcome.state === 'done' ? realDrift(outcome.value, outcome.stack) : [] };
}

/** A stack without resources has nothing that could drift, and must not read as one that was compared. */
function isDeployed({ isDeferred, existing }: StackPlan): boolean {
  return !isDeferred && existing.length > 0;
}

function asJson({ outcome, changes }: Comparison): object {
  const { name, region } = outcome.stack;
  if (outcome.state === 'failed') return { stack: name, region, error: errorReport(outcome.error) };
  if (outcome.state === 'skipped') return { stack: name, region, skippedBecauseOf: outcome.because };
  return { stack: name, region, isDeployed: isDeployed(outcome.value), changes };
}

function printComparison({ print, paint }: CommandContext, { outcome, changes }: Comparison): void {
  // What failed is told once, with all other errors.
  if (outcome.state !== 'done') return;
  const { name } = outcome.stack;
  if (!isDeployed(outcome.value)) {
    print(`${paint.dim('–')} ${name}: not deployed`);
  } else if (changes.length === 0) {
    print(`${paint.green('✓')} ${name}: as it was deployed`);
  } else {
    print(`${paint.red('✗')} ${paint.bold(name)}: ${changes.length} changed outside Terraform`);
    for (const { address, action, attributes } of changes) {
      print(`    ${address}${action === 'delete' ? ': gone' : ''}`);
      const rows = attributes.map(({ path, before, after }) => [
        path,
        `${printable(before ?? 'nothing')} → ${printable(after ?? 'nothing')}`,
      ]);
      for (const line of table(rows, '        ')) print(line);
    }
  }
}
