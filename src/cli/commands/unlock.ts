import { TandemError } from '../../core/error.ts';
import { nearest } from '../../core/nearest.ts';
import { parseInstant } from '../../core/instant.ts';
import type { InfrastructureStack, StateLock } from '../../model/infrastructure.ts';
import { identityText, openApplication } from '../aws/application.ts';
import { confirmByYes } from '../aws/confirm.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { yesOption } from '../option-values.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import { ago } from '../text/time.ts';

export const unlock = defineCommand<{ yes: boolean }>({
  name: 'unlock',
  summary: 'Free a state on AWS whose holder is gone',
  details:
    'Shows who holds the lock, since when and for what, and asks. Free it only when you know that nobody works there any ' +
    'more: two at once would overwrite each other’s record of what exists.',
  examples: ['tandem unlock', 'tandem unlock us-east-1-production --yes'],
  arguments: [{ syntax: '[stack]', description: 'as the error named it (default: all that are locked)' }],
  options: [yesOption],
  takesRegion: true,
  isForAws: true,
  async run(context, { yes }, argument) {
    const { identity, stacks } = await openApplication(context, { localState: false, protect: true });
    context.note(identityText(identity));
    const asked = argument === undefined ? stacks : [stackNamed(argument, stacks)];
    const found = await Promise.all(
      asked.map(async stack => ({ stack, lock: await context.aws.readStateLock(stack, identity.accountId) })),
    );
    const held = found.filter((entry): entry is Held => entry.lock !== undefined);
    if (held.length > 0) {
      for (const line of holderLines(context, held)) context.note(line);
      if (!yes) await confirmByYes(context, held.length === 1 ? 'Free it?' : 'Free them all?');
    }
    for (const { stack, lock } of held) await context.aws.removeStateLock(stack, identity.accountId, lock);
    if (context.json)
      context.printJson({ freed: held.map(({ stack, lock }) => ({ stack: stack.name, lock })) });
    else if (held.length === 0) context.print('nothing is locked');
    else context.print(`freed: ${held.map(({ stack }) => stack.name).join(', ')}`);
    return EXIT.done;
  },
});

interface Held {
  stack: InfrastructureStack;
  lock: StateLock;
}

function holderLines({ clock }: CommandContext, held: readonly Held[]): string[] {
  return table(
    held.map(({ stack, lock }) => {
      const since = parseInstant(lock.created);
      const age =
        since === undefined ? '' : `since ${lock.created.slice(0, 19)}Z, ${ago(since, clock.now())}`;
      const operation = lock.operation.replace(/^OperationType/, '').toLowerCase();
      return [`${stack.name} is locked by`, printable(lock.who), operation, age, `id ${lock.id}`].map(
        printable,
      );
    }),
  );
}

function stackNamed(name: string, stacks: readonly InfrastructureStack[]): InfrastructureStack {
  const known = stacks.map(stack => stack.name);
  const found = stacks.find(stack => stack.name === name);
  if (found) return found;
  const near = nearest(name, known);
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  throw new TandemError('STACK_UNKNOWN', `there is no stack ${name}, only ${known.join(', ')}${meant}`, {
    data: { stack: name, known },
  });
}
