import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TandemError } from '../../../../core/error.ts';
import { parseDockerfile } from './parse.ts';
import { planStages, neededStages } from './stages.ts';

const parse = (text: string) => parseDockerfile(text, 'Dockerfile');

test('continuation lines are joined, and comments and empty lines between them vanish', () => {
  const { instructions } = parse(
    'FROM scratch\nRUN echo a \\\n  # a comment\n\n  && echo "# text" \\  \n  && b\nCMD x',
  );
  expect(instructions.map(({ keyword, line }) => [keyword, line])).toEqual([
    ['FROM', 1],
    ['RUN', 2],
    ['CMD', 7],
  ]);
  expect(instructions[1]!.text).toBe('echo a   && echo "# text"   && b');
});

test('keywords are read in any case, and lines may end as Windows ends them', () => {
  const { instructions } = parse('\uFEFFfrom scratch\r\ncopy a \\\r\n  b /\r\n');
  expect(instructions.map(({ keyword, text }) => [keyword, text])).toEqual([
    ['FROM', 'scratch'],
    ['COPY', 'a   b /'],
  ]);
});

test('directives are obeyed: another escape character, syntax and check', () => {
  const { instructions } = parse(
    '# syntax=docker/dockerfile:1\n# check=skip=all\n# escape=`\nFROM scratch\nRUN a `\n b\\',
  );
  expect(instructions[1]!.text).toBe('a  b\\');
  expect(instructions[1]!.line).toBe(5);
});

test('flags are taken off the front, quotes and all', () => {
  const [, copy] = parse(
    'FROM scratch\nCOPY --from=build --chown="a:b" --link a --not-a-flag b',
  ).instructions;
  expect(copy!.flags).toEqual([
    { name: 'from', value: 'build' },
    { name: 'chown', value: 'a:b' },
    { name: 'link' },
  ]);
  expect(copy!.text).toBe('a --not-a-flag b');
});

test('here-documents are read in order, with tabs and quotes as the shell has them', () => {
  const [, copy, run] = parse(
    'FROM scratch\nCOPY <<A <<-"B" /x/\n$1\nA\n\tindented\n\tB\nRUN cat <<EOF | sh\n\nFROM text\nEOF\nCMD z',
  ).instructions;
  expect(copy!.heredocs).toEqual([
    { name: 'A', content: '$1\n', expand: true },
    { name: 'B', content: 'indented\n', expand: false },
  ]);
  expect(run!.heredocs).toEqual([{ name: 'EOF', content: '\nFROM text\n', expand: true }]);
  expect(run!.line).toBe(7);
});

test.each([
  ['', 'no instructions'],
  ['# only a comment\n', 'no instructions'],
  ['FROM scratch\nWIBBLE x', 'Dockerfile:2: unknown instruction: WIBBLE'],
  ['FROM scratch\nCOPY', 'COPY at Dockerfile:2: COPY needs at least one argument'],
  ['FROM scratch\nRUN <<EOF\necho', 'here-document EOF does not end'],
  ['# escape=x\nFROM scratch', 'escape directive'],
  ['FROM scr\0atch', 'NUL character'],
])('%j is refused: %s', (text, problem) => {
  expect(() => parse(text)).toThrow(problem);
});

test.each([
  ['RUN x', 'no build stage yet'],
  ['ARG A=1', 'there is no FROM'],
  ['FROM a b c d', 'is not "image" or "image AS name"'],
  ['FROM scratch AS 1x', "cannot be a stage's name"],
  ['FROM scratch AS x\nFROM scratch AS X', 'already'],
  ['FROM $NOTHING', 'expands to nothing'],
  ['FROM scratch --platform=x', 'is not "image"'],
  ['FROM --wibble=1 scratch', 'unknown flag: --wibble'],
  ['ARG 1=2\nFROM scratch', "cannot be a variable's name"],
])('%j makes no stages: %s', (text, problem) => {
  expect(() => plan(text)).toThrow(problem);
});

test('FROM names stages and images, with global arguments expanded', () => {
  const { stages } = plan(
    'ARG V=22\nARG BASE=node:${V}-alpine\nFROM ${BASE} AS Build\nFROM build\nFROM --platform=$TARGETPLATFORM other',
    { V: '24' },
  );
  expect(stages.map(({ base, name, platform }) => [base, name, platform])).toEqual([
    [{ kind: 'image', name: 'node:24-alpine' }, 'build', undefined],
    [{ kind: 'stage', index: 0 }, undefined, undefined],
    [{ kind: 'image', name: 'other' }, undefined, 'linux/test'],
  ]);
});

test('only the stages that the target needs are built', () => {
  const { stages } = plan(
    'FROM scratch AS a\nFROM scratch AS unused\nFROM scratch AS b\nCOPY --from=a / /\nFROM scratch AS c\nRUN --mount=type=bind,from=b,target=/x true\nFROM scratch',
  );
  expect(neededStages(stages, stages[3]!).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('any text gives a Dockerfile or a TandemError', () => {
  const pieces = fc.constantFrom(
    'FROM ',
    'scratch',
    'RUN ',
    'COPY ',
    'ADD ',
    'ARG ',
    'ENV ',
    'AS ',
    '\n',
    '\r\n',
    '\\\n',
    '`',
    '<<EOF',
    '<<-"X"',
    'EOF',
    '# escape=`\n',
    '#',
    '--from=',
    '--',
    '=',
    '"',
    "'",
    '[',
    ']',
    '"a",',
    '$',
    '${A:-',
    '}',
    ' ',
    '\t',
    'HEALTHCHECK ',
    '\0',
    'é',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), parts => {
      try {
        plan(parts.join(''));
      } catch (error) {
        if (!(error instanceof TandemError)) throw error;
        expect(error.code).toMatch(/^DOCKERFILE_/);
      }
    }),
    { numRuns: 2_000 },
  );
});

function plan(text: string, buildArguments: Record<string, string> = {}) {
  return planStages(parse(text), {
    buildArguments: new Map(Object.entries(buildArguments)),
    platformArguments: new Map([['TARGETPLATFORM', 'linux/test']]),
  });
}
