import { TandemError } from '../../core/error.ts';
import { finish } from '../act-on-executions.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, worst } from '../exit-code.ts';
import { waitOption, yesOption } from '../option-values.ts';
import { answered, askRegions, askRegionsPatiently, chosenRegions, reportFailures } from '../regions.ts';
import { planRollback, type RollbackPlan } from '../rollback-plan.ts';
import { shortCommit } from '../text/words.ts';

export const rollback = defineCommand<{ yes: boolean; wait: boolean }>({
  name: 'rollback',
  summary: 'Bring an earlier release back to production',
  details:
    'Without a release: the last good one before the current, in each region. Shows what will change and asks; ' +
    'then shows production moving, until it has ended.',
  examples: [
    'tandem rollback',
    'tandem rollback --target aws',
    'tandem rollback 3f2a91c --yes',
    'tandem rollback --region us-east-1',
  ],
  arguments: [{ syntax: '[release]', description: 'commit id of a release, or the beginning of one' }],
  options: [yesOption, waitOption],
  takesRegion: true,
  isForAws: true,
  async run(context, { yes, wait }, to) {
    const cloud = await context.cloud();
    const regions = chosenRegions(context, cloud);
    const plans = await askRegionsPatiently(context, cloud, regions, operations =>
      planRollback(operations, to),
    );
    const unplanned = reportFailures(context, plans);
    const planned = answered(plans);
    if (planned.length === 0) return unplanned;
    for (const { region, value } of planned) context.note(planLine(region, value));
    if (!yes && !(await isConfirmed(context))) {
      context.note('nothing was changed');
      return EXIT.failed;
    }
    const answers = await askRegions(
      cloud,
      planned.map(({ region }) => region),
      operations => operations.rollback({ ...(to !== undefined && { to }), by: context.user }),
    );
    const started = answered(answers).map(({ value }) => value);
    const failures = worst([unplanned, reportFailures(context, answers)]);
    if (started.length === 0) return failures;
    return worst([failures, await finish(context, cloud, started, { wait })]);
  },
});

function planLine(region: string, { from, to }: RollbackPlan): string {
  const before = from === undefined ? 'nothing' : shortCommit(from);
  return `${region}  production: ${before} -> ${to === undefined ? 'the last good release before it' : shortCommit(to)}`;
}

async function isConfirmed(context: CommandContext): Promise<boolean> {
  if (!context.inputIsTerminal) {
    throw new TandemError(
      'CONFIRMATION_MISSING',
      'there is no terminal to ask on: say --yes to go back without asking',
    );
  }
  const answer = await context.ask('Go back? [y/N] ');
  return /^y(es)?$/i.test(answer.trim());
}
