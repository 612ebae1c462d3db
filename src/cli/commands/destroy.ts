import { basename, join } from 'node:path';
import { TandemError } from '../../core/error.ts';
import { pathExists } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { terraformOptions } from '../aws/application.ts';
import { confirmByName } from '../aws/confirm.ts';
import type { DestroyOptions } from '../aws/destroy.ts';
import { AWS_FOLDER, type Inventory } from '../../model/local-lifecycle.ts';
import { yesOption } from '../option-values.ts';
import { formatBytes } from '../text/bytes.ts';
import { printable } from '../text/printable.ts';

export const destroy = defineCommand<DestroyOptions>({
  name: 'destroy',
  summary: 'Delete the local cloud, or with --target aws everything on AWS',
  details:
    'Repositories, images, releases, logs and history of every region go; the application’s own folder stays as it is. ' +
    'With --target aws every region’s resources go, with what they hold, and the buckets of their states; then every region is searched for what is left. ' +
    'Shows what will be deleted, and asks for the application’s name. May be said again from any half state.',
  examples: [
    'tandem destroy',
    'tandem destroy --target aws',
    'tandem destroy --target aws --region us-west-2',
  ],
  options: [yesOption, ...terraformOptions],
  takesRegion: true,
  isForAws: true,
  async run(context, options) {
    if (context.target === 'aws') return (await import('../aws/destroy.ts')).destroyOnAws(context, options);
    return destroyHere(context, options.yes);
  },
});

async function destroyHere(context: CommandContext, yes: boolean): Promise<ExitCode> {
  if (context.chosenRegions.length > 0) {
    throw new TandemError('USAGE', 'the local cloud is deleted as a whole: --region is for --target aws');
  }
  const { dataDir, json } = context;
  if (!(await pathExists(dataDir))) {
    if (json) context.printJson({ deleted: false, dataDir });
    else context.print(`there is nothing at ${dataDir}`);
    return EXIT.done;
  }
  const inventory = await context.local.inventory(dataDir);
  const name = inventory.application ?? basename(dataDir);
  requireCloud(inventory, dataDir);
  for (const line of inventoryLines(inventory, name, dataDir)) context.note(line);
  if (!yes) await confirmByName(context, name);
  await context.local.destroy(dataDir, ({ region, message }) =>
    context.note(region === undefined ? message : `${region}  ${message}`),
  );
  if (json) context.printJson({ deleted: true, dataDir });
  else context.print(`deleted: nothing of it is left`);
  const ofAws = join(dataDir, AWS_FOLDER);
  if (await pathExists(ofAws))
    context.note(`${ofAws} stays: it belongs to what is on AWS (tandem destroy --target aws)`);
  return EXIT.done;
}

/** `--data-dir ~` must not delete a home folder; one called `.tandem` is ours even where its record is damaged. */
function requireCloud({ application }: Inventory, dataDir: string): void {
  if (application !== undefined || basename(dataDir) === '.tandem') return;
  throw new TandemError(
    'DATA_FOLDER_FOREIGN',
    `${dataDir} holds no local cloud of Tandem, so it is left alone; delete it by hand if you mean it`,
    { data: { dataDir } },
  );
}

function inventoryLines({ processes, bytes }: Inventory, name: string, dataDir: string): string[] {
  const count = processes.length === 1 ? '1 process runs' : `${processes.length} processes run`;
  const running = processes.length === 0 ? 'no process runs' : `${count}, and will be ended:`;
  return [
    `The local cloud of ${name}:`,
    `  folder  ${dataDir} (${formatBytes(bytes)}), with all repositories, images, logs and history in it`,
    `  ${running}`,
    ...processes.map(({ pid, title, region }) =>
      `    ${String(pid).padStart(7)}  ${region ?? ''}  ${printable(title)}`.slice(0, 110),
    ),
  ];
}
