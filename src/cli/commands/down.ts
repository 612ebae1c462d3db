import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-code.ts';

export const down = defineCommand({
  name: 'down',
  summary: 'Stop the local cloud, keeping everything it has stored',
  details: 'Requests in flight finish first. `tandem up` carries on from here.',
  examples: ['tandem down'],
  takesRegion: false,
  async run(context) {
    const wasRunning = (await context.local.attach(context.dataDir)) !== undefined;
    if (wasRunning) {
      await context.local.down(context.dataDir, ({ region, message }) =>
        context.note(region === undefined ? message : `${region}  ${message}`),
      );
    }
    if (context.json) context.printJson({ stopped: wasRunning, dataDir: context.dataDir });
    else context.print(wasRunning ? 'stopped' : `nothing runs on ${context.dataDir}`);
    return EXIT.done;
  },
});
