import { stripVTControlCharacters } from 'node:util';
import type { CommandOutcome } from './shell/shell-session.ts';

const LONGEST_COMMAND = 80;
const LONGEST_LINE = 240;
const ANNOUNCED_LINES = 6;
/** Where Node.js begins to list the fields of an error, after its message. */
const ERROR_FIELDS = /^(?:\{|generatedMessage:|code:|actual:|expected:|operator:)/;

/** Lines that stand around an error and say nothing about it. */
const NOISE =
  /^(?:\s*at\s|npm (?:ERR!|error)\s*(?:$|code|path|errno|syscall|command|workspace|location|Lifecycle script|A complete log|Test failed|\/|\S+\.log)|\s*[{}[\](),;^~|-]*\s*$|Node\.js v\d|make(?:\[\d+\])?: \*\*\*|✖ failing tests|ℹ |# (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) )/i;

/** Where the shell says that it found a fault: the file that held the command (see shell/driver.ts). */
const SHELL_PLACE = /^\S*\/command-\d+: (?:line )?(?:\d+: )?/;

/** From the most telling to the least. Of several such lines the last counts. */
const TELLING: readonly RegExp[] = [
  /(?:^|[\s[(])[A-Z]\w*(?:Error|Exception)\b(?:\s*\[[^\]]+\])?:\s*\S/,
  /\berror(?:\[\w+\]| TS\d+)?:\s*\S|\bfatal:|\bpanic:|\bERR!\s+\S/i,
  /command not found|: not found|No such file|permission denied|cannot|could not|unable to|failed|denied|refused/i,
];

/** `npm test failed (exit status 1): AssertionError: expected 200…`: one line for a person. */
export function commandCause(command: string, outcome: CommandOutcome, output: readonly string[]): string {
  const line = tellingLine(output);
  const ending =
    outcome.signal === undefined ? `exit status ${outcome.exitStatus}` : `ended by ${outcome.signal}`;
  return `${shorten(firstLine(command), LONGEST_COMMAND)} failed (${ending})${line === undefined ? '' : `: ${line}`}`;
}

/** As CodeBuild's phase context reads. */
export function commandContext(command: string, outcome: CommandOutcome): string {
  return `COMMAND_EXECUTION_ERROR: Error while executing command: ${firstLine(command)}. Reason: exit status ${outcome.exitStatus}`;
}

/** The line of a failed command's output that tells most, without colours and indentation. */
function tellingLine(output: readonly string[]): string | undefined {
  const lines = output
    .map(line => stripVTControlCharacters(line).split('\r').at(-1)!.replace(SHELL_PLACE, '').trimEnd())
    .filter(line => !NOISE.test(line));
  for (const pattern of TELLING) {
    const found = lines.findLastIndex(line => pattern.test(line));
    if (found !== -1) return shorten(sentenceFrom(lines, found), LONGEST_LINE);
  }
  const last = lines.findLast(line => line.trim() !== '');
  return last === undefined ? undefined : shorten(last.trim(), LONGEST_LINE);
}

/** A line that ends with a colon announces what the lines after it say: as many as make one short sentence. */
function sentenceFrom(lines: readonly string[], start: number): string {
  const line = lines[start]!.trim();
  if (!line.endsWith(':')) return line;
  const after = lines.slice(start + 1).map(next => next.trim());
  const end = after.findIndex(next => ERROR_FIELDS.test(next));
  const said = after.slice(0, end === -1 ? after.length : end).filter(next => next !== '');
  return [line, ...said.slice(0, ANNOUNCED_LINES)].join(' ');
}

function firstLine(command: string): string {
  const [first, ...rest] = command.trim().split('\n');
  return rest.length === 0 ? first! : `${first} …`;
}

function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
