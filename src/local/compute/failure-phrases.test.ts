import { describe, expect, test } from 'vitest';
import { describeExit, tellingLine } from './failure-phrases.ts';

describe('the telling line', () => {
  test('of a Node.js crash is the error, not the trace around it', () => {
    const lines = `node:internal/modules/cjs/loader:1228
  throw err;
  ^

Error: Cannot find module 'x'
Require stack:
- /app/server.js
    at Function._resolveFilename (node:internal/modules/cjs/loader:1225:15) {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/app/server.js' ]
}

Node.js v24.21.0`.split('\n');
    expect(tellingLine(lines)).toBe("Error: Cannot find module 'x'");
  });

  test.each([
    [
      ['Traceback (most recent call last):', '  File "x.py", line 1', 'ValueError: bad port'],
      'ValueError: bad port',
    ],
    [
      ['starting', 'panic: runtime error: index out of range', 'goroutine 1 [running]:'],
      'panic: runtime error: index out of range',
    ],
    [['listening', 'database gone, giving up', ''], 'database gone, giving up'],
  ])('of %j is %j', (lines, expected) => expect(tellingLine(lines)).toBe(expected));

  test('of silence is none, and a long one is cut', () => {
    expect(tellingLine(['', '  '])).toBeUndefined();
    expect(tellingLine(['x'.repeat(1_000)])).toHaveLength(201);
  });
});

test('an exit in words', () => {
  expect(describeExit({ exitCode: 1, outOfMemory: false }, 512, ['Error: no']).phrase).toBe(
    'exited with code 1: Error: no',
  );
  expect(describeExit({ exitCode: 0, outOfMemory: false }, 512, []).phrase).toBe('exited with code 0');
  expect(describeExit({ exitCode: 137, outOfMemory: true }, 512, ['x'])).toEqual({
    reason: 'OutOfMemoryError: Container killed due to memory usage',
    phrase: 'killed for using more than 512 MB of memory',
  });
  expect(describeExit({ outOfMemory: false }, 512, []).phrase).toContain('nobody saw');
});
