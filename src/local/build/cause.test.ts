import { expect, test } from 'vitest';
import { commandCause, commandContext } from './cause.ts';

test.each([
  {
    name: 'a node:test failure',
    output: [
      '✖ answers with 200 (3.1ms)',
      'ℹ tests 4',
      'ℹ fail 1',
      '✖ failing tests:',
      'test at test/app.test.js:10:1',
      '✖ answers with 200 (3.1ms)',
      '  AssertionError [ERR_ASSERTION]: expected 200, got 500',
      '      at TestContext.<anonymous> (file:///app.test.js:12:10)',
      '  }',
      '',
    ],
    line: 'AssertionError [ERR_ASSERTION]: expected 200, got 500',
  },
  {
    name: 'a comparison, which the lines after it show',
    output: [
      'AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
      '',
      '500 !== 200',
      '',
      '    at TestContext.<anonymous> (file:///app.test.js:12:10)',
      '  generatedMessage: true,',
      "  code: 'ERR_ASSERTION',",
    ],
    line: 'AssertionError [ERR_ASSERTION]: Expected values to be strictly equal: 500 !== 200',
  },
  {
    name: 'a crash of Node.js',
    output: [
      'node:internal/modules/cjs/loader:1228',
      '  throw err;',
      '  ^',
      '',
      "Error: Cannot find module 'left-pad'",
      'Require stack:',
      '- /app/index.js',
      '    at Module._load (node:internal:1)',
      "  code: 'MODULE_NOT_FOUND',",
      '}',
      '',
      'Node.js v24.0.0',
    ],
    line: "Error: Cannot find module 'left-pad'",
  },
  {
    name: 'a compiler',
    output: ["src/a.ts(3,5): error TS2322: Type 'x' is not assignable to type 'y'.", ''],
    line: "src/a.ts(3,5): error TS2322: Type 'x' is not assignable to type 'y'.",
  },
  {
    name: 'npm',
    output: [
      'npm error code EUSAGE',
      'npm error',
      'npm error The `npm ci` command can only install with an existing package-lock.json',
      'npm error A complete log of this run can be found in: /root/.npm/_logs/x.log',
    ],
    line: 'npm error The `npm ci` command can only install with an existing package-lock.json',
  },
  {
    name: 'a missing program',
    output: ['/x/command-1: 1: foo: not found'],
    line: 'foo: not found',
  },
  { name: 'colours', output: ['\u001b[31mfatal: broken\u001b[0m', 'bye'], line: 'fatal: broken' },
  { name: 'anything', output: ['one', 'two', '  '], line: 'two' },
])('quotes the telling line of $name', ({ output, line }) => {
  expect(commandCause('npm test', { exitStatus: 1 }, output)).toBe(
    `npm test failed (exit status 1): ${line}`,
  );
});

test('without output the command and its exit status say it', () => {
  expect(commandCause('test -f\nx', { exitStatus: 1 }, [])).toBe('test -f … failed (exit status 1)');
  expect(commandCause('sleep 9', { exitStatus: 137, signal: 'SIGKILL' }, [])).toBe(
    'sleep 9 failed (ended by SIGKILL)',
  );
  expect(commandContext('npm test', { exitStatus: 2 })).toBe(
    'COMMAND_EXECUTION_ERROR: Error while executing command: npm test. Reason: exit status 2',
  );
});
