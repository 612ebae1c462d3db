import { expect, test } from 'vitest';
import { earlierTaskDefinition } from './rollback-choice.ts';

test.each([
  ['the release before', ['shop:3', 'shop:2', 'shop:1'], 'shop:3', 'shop:2'],
  ['past settings that were deployed twice', ['shop:3', 'shop:3', 'shop:2'], 'shop:3', 'shop:2'],
  ['never to what was rolled back from', ['shop:1', 'shop:2', 'shop:1', 'shop:0'], 'shop:1', 'shop:0'],
  ['to what stayed last, where what runs never stayed', ['shop:2', 'shop:1'], 'shop:3', 'shop:2'],
  ['nowhere from the first', ['shop:1'], 'shop:1', undefined],
  ['nowhere without a history', [], 'shop:1', undefined],
])('goes back to %s', (_what, history, running, expected) => {
  expect(
    earlierTaskDefinition(
      history.map(taskDefinition => ({ taskDefinition })),
      running,
    ),
  ).toBe(expected);
});
