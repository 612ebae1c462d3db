import { basename } from 'node:path';
import { TandemError } from '../../core/error.ts';
import { pathExists } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import type { Inventory } from '../../model/local-lifecycle.ts';
import { yesOption } from '../option-values.ts';
import { formatBytes } from '../text/bytes.ts';
import { printable } from '../text/printable.ts';

export const destroy = defineCommand<{ yes: boolean }>({
  name: 'destroy',
  summary: 'End the local cloud and delete everything it has stored',
  details:
    'Repositories, images, releases, logs and history of every region go; the application’s own folder stays as it is. ' +
    'Shows what will be deleted, and asks for the application’s name.',
  examples: ['tandem destroy', 'tandem destroy --yes'],
  options: [yesOption],
  takesRegion: false,
  async run(context, { yes }) {
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
    if (!yes) await confirm(context, name);
    await context.local.destroy(dataDir, ({ region, message }) =>
      context.note(region === undefined ? message : `${region}  ${message}`),
    );
    if (json) context.printJson({ deleted: true, dataDir });
    else context.print(`deleted: nothing of it is left`);
    return EXIT.done;
  },
});

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

async function confirm(context: CommandContext, name: string): Promise<void> {
  if (!context.inputIsTerminal) {
    throw new TandemError(
      'CONFIRMATION_MISSING',
      'there is no terminal to ask on: say --yes to delete without asking',
    );
  }
  const typed = await context.ask(`Type ${name} to delete all this: `);
  if (typed.trim() === name) return;
  throw new TandemError('CONFIRMATION_MISSING', `that is not ${name}, so nothing was deleted`);
}
