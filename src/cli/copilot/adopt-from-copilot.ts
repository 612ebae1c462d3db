import { TandemError } from '../../core/error.ts';
import type { CommandContext } from '../context.ts';
import { applicationName } from '../scaffold.ts';
import { planCopilotAdoption, writeAdoption, type CopilotAdoption } from './adopt-workspace.ts';
import { adoptionLines } from './report-adoption.ts';

/** What was done, or that nothing was. */
export interface AdoptionOutcome {
  adoption: CopilotAdoption;
  isWritten: boolean;
}

/** Shows what becomes of the Copilot workspace in the folder, asks before a file is replaced, and writes the files. */
export async function adoptFromCopilot(
  context: CommandContext,
  folder: string,
  options: { configPath: string; service: string | undefined; yes: boolean },
): Promise<AdoptionOutcome> {
  const adoption = await planCopilotAdoption(folder, { ...options, fallbackName: applicationName(folder) });
  if (!context.json) for (const line of adoptionLines(adoption, context.paint)) context.print(line);
  const replaced = adoption.files.filter(({ state }) => state === 'different').map(({ name }) => name);
  const isWritten = replaced.length === 0 || options.yes || (await mayReplace(context, replaced));
  if (isWritten) await writeAdoption(folder, adoption.files);
  return { adoption, isWritten };
}

async function mayReplace(context: CommandContext, names: readonly string[]): Promise<boolean> {
  const files = names.join(' and ');
  if (!context.inputIsTerminal) {
    throw new TandemError(
      'CONFIRMATION_MISSING',
      `${files} would be replaced, and there is no terminal to ask on: say --yes to replace, or --config with another name`,
      { data: { files: names } },
    );
  }
  const answer = await context.ask(`${files} would be replaced. Replace? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
