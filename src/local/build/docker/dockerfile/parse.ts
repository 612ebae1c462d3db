import { createRequire } from 'node:module';
import type * as DockerfileAst from 'dockerfile-ast';
import { TandemError } from '../../../../core/error.ts';
import { parseFlags } from './flags.ts';
import {
  KEYWORDS,
  invalid,
  type Dockerfile,
  type Heredoc,
  type Instruction,
  type Keyword,
} from './instruction.ts';

export const LARGEST_DOCKERFILE_BYTES = 1_048_576;
const KEYWORD_SET: ReadonlySet<string> = new Set(KEYWORDS);

/**
 * Reads a Dockerfile. Where instructions and here-documents begin and end is dockerfile-ast's word; joining lines,
 * flags and words follow BuildKit's parser. Throws DOCKERFILE_INVALID with file and line.
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const refuse = (problem: string, line = 1, cause?: unknown) =>
    new TandemError('DOCKERFILE_INVALID', `${file}:${line}: ${problem}`, { data: { file, line }, cause });
  if (text.length > LARGEST_DOCKERFILE_BYTES) throw refuse('a Dockerfile of more than 1 MiB is refused');
  if (text.includes('\0')) throw refuse('it holds a NUL character: this is not a Dockerfile');
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  // Normalised, so that the library's positions and `lines` agree whatever line ends and byte order mark it had.
  const normalised = lines.join('\n');
  let found: ReturnType<typeof locate>;
  try {
    found = locate(normalised);
  } catch (error) {
    throw refuse('it cannot be read as a Dockerfile', 1, error);
  }
  if (found.escape !== '\\' && found.escape !== '`')
    throw refuse(`the escape directive must be \\ or \`, not "${found.escape}"`);

  const instructions = found.places.map(place => {
    const keyword = place.keyword.toUpperCase();
    if (!KEYWORD_SET.has(keyword)) throw refuse(`unknown instruction: ${place.keyword}`, place.startLine + 1);
    return readInstruction(lines, file, found.escape, { ...place, keyword: keyword as Keyword });
  });
  if (instructions.length === 0) throw refuse('the file with no instructions builds nothing: write a FROM');
  return { file, lines, instructions };
}

interface Place {
  keyword: string;
  /** 0 for the first line. */
  startLine: number;
  endLine: number;
  heredocs: { start: string; delimiterLine: number | undefined }[];
}

function locate(text: string): { escape: string; places: Place[] } {
  const { DockerfileParser } = createRequire(import.meta.url)('dockerfile-ast') as typeof DockerfileAst;
  const parsed = DockerfileParser.parse(text);
  const textLines = text.split('\n');
  const places = parsed.getInstructions().map(instruction => {
    const { start, end } = instruction.getRange();
    const keyword = instruction.getInstruction();
    const isHeredocHost = 'getHeredocs' in instruction && /^(?:RUN|COPY)$/i.test(keyword);
    const heredocs = isHeredocHost
      ? (instruction as DockerfileAst.Run | DockerfileAst.Copy).getHeredocs()
      : [];
    return {
      keyword,
      startLine: start.line,
      endLine: end.line,
      heredocs: heredocs.map(heredoc => {
        const opening = heredoc.getStartRange();
        return {
          start: textLines[opening.start.line]!.slice(opening.start.character, opening.end.character),
          delimiterLine: heredoc.getDelimiterRange()?.start.line,
        };
      }),
    };
  });
  // The library takes an escape character that it does not know for the usual one.
  const escape = parsed.getDirectives().find(directive => /^escape$/i.test(directive.getName()));
  return { escape: escape?.getValue() ?? '\\', places };
}

function readInstruction(
  lines: string[],
  file: string,
  escape: string,
  place: Place & { keyword: Keyword },
): Instruction {
  const instruction: Instruction = {
    keyword: place.keyword,
    file,
    line: place.startLine + 1,
    endLine: place.endLine + 1,
    flags: [],
    original: '',
    text: '',
    heredocs: [],
    escape,
  };
  const { joined, nextLine } = joinLines(lines, place, escape);
  instruction.original = joined.trim().replace(/[ \t]+/g, ' ');
  const afterKeyword = joined.trimStart().replace(/^\S+\s*/, '');
  const { flags, rest } = parseFlags(afterKeyword, escape);
  instruction.flags = flags;
  instruction.text = rest.trim();
  if (place.heredocs.length > 0) instruction.heredocs = readHeredocs(lines, place, nextLine, instruction);
  if (instruction.text === '' && instruction.keyword !== 'CMD')
    throw invalid(instruction, `${place.keyword} needs at least one argument`);
  return instruction;
}

/** BuildKit's rule: comment and empty lines between continuation lines vanish, all else is kept as written. */
function joinLines(lines: string[], place: Place, escape: string): { joined: string; nextLine: number } {
  let joined = '';
  let line = place.startLine;
  for (; line <= place.endLine; line += 1) {
    const text = lines[line]!;
    const trimmed = text.trim();
    if (line > place.startLine && (trimmed === '' || trimmed.startsWith('#'))) continue;
    const withoutBlanks = text.replace(/[ \t]+$/, '');
    if (!withoutBlanks.endsWith(escape)) {
      joined += text;
      line += 1;
      break;
    }
    joined += withoutBlanks.slice(0, -1);
  }
  return { joined, nextLine: line };
}

/** Here-documents follow their instruction's line one after the other, in the order in which they were opened. */
function readHeredocs(lines: string[], place: Place, firstLine: number, instruction: Instruction): Heredoc[] {
  let next = firstLine;
  return place.heredocs.map(({ start, delimiterLine }) => {
    const opening = /^<<(-?)(["']?)([^"']+)\2$/.exec(start);
    const [, dash, quote, name] = opening ?? [];
    if (name === undefined) throw invalid(instruction, `the here-document "${start}" cannot be read`);
    if (delimiterLine === undefined || delimiterLine < next)
      throw invalid(instruction, `the here-document ${name} does not end: write a line that is just ${name}`);
    const body = lines.slice(next, delimiterLine);
    next = delimiterLine + 1;
    const content = (dash === '-' ? body.map(line => line.replace(/^\t+/, '')) : body)
      .map(line => `${line}\n`)
      .join('');
    return { name, content, expand: quote === '' };
  });
}
