import { dirname, join, relative, resolve } from 'node:path';
import { mkdir, writeFile } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { formatBytes } from '../text/bytes.ts';
import { table } from '../text/table.ts';

export const synth = defineCommand<{ localState: boolean; unprotected: boolean }>({
  name: 'synth',
  summary: 'Write the Terraform of this application on AWS to a folder',
  details:
    'One root module a region and one for what spans regions, as JSON that Terraform and OpenTofu take without Tandem; ' +
    'the README.md in the folder says in which order. Asks nothing of AWS, and changes nothing there.',
  examples: ['tandem synth', 'tandem synth infrastructure --local-state'],
  arguments: [
    {
      syntax: '[folder]',
      description: 'where (default: terraform, beside the config file); files are replaced',
    },
  ],
  options: [
    {
      flags: '--local-state',
      description: 'keep state in files beside the modules, not in S3: for a trial',
      default: false,
    },
    {
      flags: '--unprotected',
      description: 'let Terraform delete what holds state: images, commits, state buckets',
      default: false,
    },
  ],
  takesRegion: false,
  isForAws: true,
  async run(context, { localState, unprotected }, argument) {
    const config = await context.config();
    const folder =
      argument === undefined
        ? join(dirname(context.configPath), 'terraform')
        : resolve(context.workingFolder, argument);
    const files = await context.synthesize(config, {
      state: localState ? 'local' : 's3',
      protect: !unprotected,
    });
    for (const { path, content } of files) {
      const target = join(folder, ...path.split('/'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
    if (context.json) {
      context.printJson({
        folder,
        files: files.map(({ path, content, resources }) => ({ path, bytes: content.length, resources })),
      });
      return EXIT.done;
    }
    const shown = relative(context.workingFolder, folder) || '.';
    const rows = files.map(({ path, content, resources }) => [
      `wrote  ${join(shown, path)}`,
      formatBytes(content.length),
      resources === 0 ? '' : `${resources} resources`,
    ]);
    for (const line of table(rows)) context.print(line);
    context.note('');
    context.note(`Next: ${join(shown, 'README.md')}`);
    return EXIT.done;
  },
});
