import { expect, test } from 'vitest';
import { parseOnFailure } from './on-failure.ts';

test.each([
  ['ABORT', { kind: 'abort' }],
  ['CONTINUE', { kind: 'continue' }],
  ['RETRY', { kind: 'retry', attempts: 3, matching: undefined }],
  ['RETRY-0', { kind: 'retry', attempts: 0, matching: undefined }],
  ['RETRY-100', { kind: 'retry', attempts: 100, matching: undefined }],
  ['RETRY-.*Error.*', { kind: 'retry', attempts: 3, matching: /.*Error.*/ }],
  ['RETRY-5-E[0-9]+', { kind: 'retry', attempts: 5, matching: /E[0-9]+/ }],
])('%s', (text, expected) => {
  expect(parseOnFailure(text)).toEqual(expected);
});

test.each(['RETRY-101', 'RETRY-[', 'retry', 'CONTINUE-2', ''])('%s is refused', text => {
  expect(parseOnFailure(text)).toBeUndefined();
});
