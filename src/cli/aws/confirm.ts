import { TandemError } from '../../core/error.ts';
import type { CommandContext } from '../context.ts';

/** Asks for a yes. Throws CONFIRMATION_MISSING for any other answer, and where there is nobody to ask. */
export async function confirmByYes(context: CommandContext, question: string): Promise<void> {
  requireSomebody(context);
  const answer = await context.ask(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new TandemError('CONFIRMATION_MISSING', 'no yes, so nothing was done');
}

/** Asks for a name to be typed, for what cannot be undone. Throws CONFIRMATION_MISSING. */
export async function confirmByName(context: CommandContext, name: string): Promise<void> {
  requireSomebody(context);
  const typed = await context.ask(`Type ${name} to delete all this: `);
  if (typed.trim() === name) return;
  throw new TandemError('CONFIRMATION_MISSING', `that is not ${name}, so nothing was deleted`);
}

function requireSomebody({ inputIsTerminal }: CommandContext): void {
  if (inputIsTerminal) return;
  throw new TandemError(
    'CONFIRMATION_MISSING',
    'there is no terminal to ask on: say --yes to go on without asking',
  );
}
