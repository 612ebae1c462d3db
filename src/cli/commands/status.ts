import { rehearsedOtherwise } from '../../model/config/rehearsal.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { reaching } from '../reach.ts';
import { chosenRegions } from '../regions.ts';
import { mendLines, statusAsJson, statusLines } from '../status-report.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show what runs in each region, and what goes on there',
  examples: [
    'tandem status',
    'tandem status --target aws',
    'tandem status --json | jq .regions[0].services.production.release',
  ],
  takesRegion: true,
  isForAws: true,
  async run(context) {
    const cloud = await context.cloud();
    const chosen = chosenRegions(context, cloud);
    const statuses = (await cloud.status()).filter(({ region }) => chosen.includes(region));
    if (context.json) {
      context.printJson({ regions: statuses.map(statusAsJson) });
    } else {
      const primary = cloud.regions()[0];
      const blocks = statuses.map(status =>
        statusLines(status, {
          isPrimary: status.region === primary,
          now: context.clock.now(),
          paint: context.paint,
        }).join('\n'),
      );
      context.print(reaching(context, blocks.join('\n\n')));
      for (const line of mendLines(statuses, context.paint)) context.print(line);
      await noteRehearsal(context);
    }
    return statuses.some(({ health }) => health === 'unreachable') ? EXIT.unknown : EXIT.done;
  },
});

/** In one line, beside the result; a running cloud has a status also where its file is gone or half-written. */
async function noteRehearsal(context: CommandContext): Promise<void> {
  const differences = await context.config().then(rehearsedOtherwise, () => []);
  if (differences.length > 0) context.note(`note: ${differences.join('; ')}`);
}
