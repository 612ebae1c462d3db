import { assert } from '../../../core/assert.ts';
import type { InfrastructureStack, StackOutcome } from '../../../model/infrastructure.ts';

/**
 * Does something with each stack, all at once as far as `after` allows; one that fails stops only what builds on it.
 * `backward`: for deletion, what comes after goes first. Outcomes come in the order of the stacks given.
 */
export async function forEachStack<Value>(
  stacks: readonly InfrastructureStack[],
  direction: 'forward' | 'backward' | 'any',
  work: (stack: InfrastructureStack) => Promise<Value>,
): Promise<StackOutcome<Value>[]> {
  const outcomes = new Map<string, Promise<StackOutcome<Value>>>();
  const outcomeOf = (stack: InfrastructureStack, path: readonly string[]): Promise<StackOutcome<Value>> => {
    assert(!path.includes(stack.name), `stacks wait for each other: ${[...path, stack.name].join(' → ')}`);
    const known = outcomes.get(stack.name);
    if (known !== undefined) return known;
    const before = prerequisites(stack, stacks, direction).map(other =>
      outcomeOf(other, [...path, stack.name]),
    );
    const outcome = Promise.all(before).then(earlier => afterAll(stack, earlier, work));
    outcomes.set(stack.name, outcome);
    return outcome;
  };
  return Promise.all(stacks.map(stack => outcomeOf(stack, [])));
}

function prerequisites(
  stack: InfrastructureStack,
  stacks: readonly InfrastructureStack[],
  direction: 'forward' | 'backward' | 'any',
): InfrastructureStack[] {
  if (direction === 'any') return [];
  return direction === 'forward'
    ? stacks.filter(({ name }) => stack.after?.includes(name))
    : stacks.filter(({ after }) => after?.includes(stack.name));
}

async function afterAll<Value>(
  stack: InfrastructureStack,
  earlier: readonly StackOutcome<Value>[],
  work: (stack: InfrastructureStack) => Promise<Value>,
): Promise<StackOutcome<Value>> {
  const obstacle = earlier.find(({ state }) => state !== 'done');
  if (obstacle !== undefined) return { stack, state: 'skipped', because: obstacle.stack.name };
  try {
    return { stack, state: 'done', value: await work(stack) };
  } catch (error) {
    return { stack, state: 'failed', error };
  }
}
