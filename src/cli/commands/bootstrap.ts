import { unreachable } from '../../core/assert.ts';
import type { InfrastructureStack, StateBucket } from '../../model/infrastructure.ts';
import { identityText, openApplication } from '../aws/application.ts';
import { defineCommand } from '../command.ts';
import { EXIT, exitCodeOfError, worst } from '../exit-code.ts';
import { errorReport, printError } from '../failures.ts';
import { table } from '../text/table.ts';

export const bootstrap = defineCommand<object>({
  name: 'bootstrap',
  summary: 'Make the buckets on AWS that hold the state of each region',
  details:
    'One bucket a region: versioned, encrypted, over TLS only, closed to the public, locked while somebody works. Say it ' +
    'once before the first deployment; saying it again puts right what is not as it must be, and changes nothing else.',
  examples: ['tandem bootstrap', 'tandem bootstrap --region eu-west-1'],
  takesRegion: true,
  isForAws: true,
  async run(context) {
    const { identity, stacks } = await openApplication(context, { localState: false, protect: true });
    context.note(identityText(identity));
    const outcomes = await Promise.all(
      oneEachRegion(stacks).map(async stack => {
        try {
          return {
            region: stack.region,
            bucket: await context.aws.ensureStateBucket(stack, identity.accountId),
          };
        } catch (error) {
          return { region: stack.region, error };
        }
      }),
    );
    if (context.json) {
      context.printJson({
        regions: outcomes.map(outcome =>
          outcome.bucket ? outcome : { region: outcome.region, error: errorReport(outcome.error) },
        ),
      });
    } else {
      const rows = outcomes.flatMap(({ region, bucket }) =>
        bucket ? [[region, bucket.name, stateText(bucket)]] : [],
      );
      for (const line of table(rows)) context.print(line);
    }
    const failed = outcomes.filter(outcome => !outcome.bucket);
    for (const { region, error } of failed) printError(context.stderr, context.progressPaint, error, region);
    if (failed.length === 0) context.note('next: tandem deploy');
    return worst([EXIT.done, ...failed.map(({ error }) => exitCodeOfError(error))]);
  },
});

/** All stacks of a region keep their state in the same bucket. */
function oneEachRegion(stacks: readonly InfrastructureStack[]): InfrastructureStack[] {
  return stacks.filter((stack, index) => stacks.findIndex(({ region }) => region === stack.region) === index);
}

function stateText({ state, changed }: StateBucket): string {
  switch (state) {
    case 'created':
      return 'made';
    case 'mended':
      return `put right: ${changed.join(', ')}`;
    case 'unchanged':
      return 'is there, as it must be';
    default:
      return unreachable(state);
  }
}
