import type { ReleaseRecord } from '../../model/cloud.ts';
import { PIPELINE_ENVIRONMENTS } from '../../model/names.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { reaching } from '../reach.ts';
import { answered, answersAsJson, askRegions, chosenRegions, reportFailures } from '../regions.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import { ago } from '../text/time.ts';
import { builtIn, shortCommit } from '../text/words.ts';

export const releases = defineCommand({
  name: 'releases',
  summary: 'List what was built, what runs where, and what can be rolled back to',
  examples: ['tandem releases', 'tandem releases --target aws', 'tandem releases --region us-east-1 --json'],
  takesRegion: true,
  isForAws: true,
  async run(context) {
    const cloud = await context.cloud();
    const answers = await askRegions(cloud, chosenRegions(context, cloud), operations =>
      operations.releases(),
    );
    if (context.json) context.printJson(answersAsJson(answers, 'releases'));
    else {
      const rows = answered(answers).flatMap(({ region, value }) =>
        value.map(release => [region, ...releaseCells(release, context)]),
      );
      if (rows.length === 0) context.print(reaching(context, 'no releases yet: `tandem push` makes one'));
      for (const line of table(rows)) context.print(line);
    }
    return reportFailures(context, answers);
  },
});

function releaseCells(release: ReleaseRecord, { paint, clock }: CommandContext): string[] {
  const now = clock.now();
  const where = PIPELINE_ENVIRONMENTS.map(environment => {
    if (release.runningIn.includes(environment)) return paint.green(`in ${environment}`);
    const at = release.deployedAt[environment];
    return at === undefined ? '' : paint.dim(`was in ${environment} ${ago(at, now)}`);
  });
  return [
    paint.yellow(shortCommit(release.commit)),
    printable(release.subject),
    `built ${ago(release.builtAt, now)}${builtIn(release)}`,
    where.filter(Boolean).join(', '),
    release.imageAvailable ? '' : paint.red('image gone'),
  ];
}
