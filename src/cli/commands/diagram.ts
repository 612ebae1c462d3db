import { dirname, join, relative, resolve } from 'node:path';
import { mkdir, writeFile } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { formatBytes } from '../text/bytes.ts';

export const diagram = defineCommand<Record<string, never>>({
  name: 'diagram',
  summary: 'Draw this application’s environment on AWS as an SVG',
  details:
    'Regions, network, load balancers, tasks, pipeline, repository, images and what watches them, as the configuration ' +
    'describes them, for a page of A4. Asks nothing of AWS.',
  examples: ['tandem diagram', 'tandem diagram docs/environment.svg'],
  arguments: [
    {
      syntax: '[file]',
      description: 'where (default: environment.svg, beside the config file); it is replaced',
    },
  ],
  takesRegion: false,
  isForAws: true,
  async run(context, _options, argument) {
    const config = await context.config();
    const file =
      argument === undefined
        ? join(dirname(context.configPath), 'environment.svg')
        : resolve(context.workingFolder, argument);
    const svg = await context.drawDiagram(config);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, svg);
    if (context.json) context.printJson({ file, bytes: svg.length, regions: config.regions });
    else context.print(`wrote  ${relative(context.workingFolder, file)}  ${formatBytes(svg.length)}`);
    return EXIT.done;
  },
});
