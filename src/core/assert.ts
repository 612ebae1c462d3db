/**
 * Stops loudly on a bug: a state that the code itself should have made impossible. Always on, one condition
 * each. Never for user input, a peer's message or the state of the machine: those get a `TandemError`.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}

class AssertionError extends Error {
  override name = 'AssertionError';
}
