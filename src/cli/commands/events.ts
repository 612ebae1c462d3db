import type { RegionEvent } from '../../model/event.ts';
import { defineCommand } from '../command.ts';
import { eventLine } from '../text/event-text.ts';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../option-values.ts';
import { chosenRegions } from '../regions.ts';
import { followRegions, readRegions, untilInterrupted, type StreamRequest } from '../stream-regions.ts';

export const events = defineCommand<{ follow: boolean; limit: number }>({
  name: 'events',
  summary: 'Show what happened in the regions',
  details: 'Oldest first; with --json each line is one JSON object.',
  examples: [
    'tandem events',
    'tandem events -f --target aws',
    'tandem events -f',
    'tandem events --json --limit 1000',
  ],
  options: [
    {
      flags: '-f, --follow',
      description: 'go on with what happens from now on, until Ctrl-C',
      default: false,
    },
    {
      flags: '--limit <number>',
      description: 'newest events of each region',
      default: 50,
      parse: wholeNumber(1),
    },
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, { follow, limit }) {
    const cloud = await context.cloud();
    const request: StreamRequest<RegionEvent> = {
      cloud,
      regions: chosenRegions(context, cloud),
      open: (operations, after, signal) =>
        operations.events({ follow, ...(after === undefined ? { limit } : { after }) }, signal),
      onItem: (_region, event) =>
        context.print(context.json ? JSON.stringify(event) : eventLine(event, context.paint)),
    };
    if (!follow) return readRegions(context, request);
    await untilInterrupted(context, signal => followRegions(context, request, signal));
    return EXIT.done;
  },
});
