import { Lexer, LineCounter, parseDocument, visit, type Document, type YAMLParseError } from 'yaml';
import { errorMessage, TandemError } from '../../../core/error.ts';
import { formatFault, toFaults, type BuildspecFault } from './faults.ts';
import { buildspecSchema, type Buildspec } from './schema.ts';

/**
 * Reads a buildspec. Throws BUILDSPEC_INVALID, whose message lists every fault with file, line, key, what was found
 * and what is allowed (`data.faults` has the same for programs).
 */
export function parseBuildspec(source: string, file: string): Buildspec {
  const tooDeep = findDeepLine(source);
  if (tooDeep !== undefined) {
    const allowed = `lists and maps of at most ${DEEPEST_NESTING} levels`;
    throw invalid(file, [{ line: tooDeep, key: '', found: 'values that nest deeper', allowed }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(source, {
    schema: 'failsafe',
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  if (document.errors.length > 0) {
    throw invalid(
      file,
      document.errors.map(error => ({
        line: lines.linePos(unclosedQuote(document, error) ?? error.pos[0]).line,
        key: '',
        found: error.message.replace(/^Missing closing (["'])quote$/, 'a $1 that nothing closes'),
        allowed: 'YAML, spaces for indentation, each key once',
      })),
    );
  }
  const result = buildspecSchema.safeParse(toValue(document, file));
  if (result.success) return result.data;
  throw invalid(file, toFaults(document, lines, result.error.issues));
}

/** A buildspec needs six. */
const DEEPEST_NESTING = 32;
/** Of maps within brackets, in one line. */
const MOST_PAIRS = 1_000;

/**
 * The line where more levels are open than any buildspec has: the reader takes memory and time by the square of them.
 * Within one line these are brackets and the marks of `- - -`; levels by indentation take longer and longer lines.
 */
function findDeepLine(source: string): number | undefined {
  let line = 1;
  let brackets = 0;
  let marks = 0;
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') {
      brackets -= 1;
      if (brackets === 0) marks = 0;
    } else if (token === '-' || token === '?' || token === ':') marks += 1;
    else if (token.includes('\n')) {
      line += token.split('\n').length - 1;
      marks = 0;
    }
    // Between brackets a mark opens no level, but stands in a pair.
    const mostMarks = brackets === 0 ? DEEPEST_NESTING : MOST_PAIRS;
    if (brackets > DEEPEST_NESTING || marks > mostMarks) return line;
  }
  return undefined;
}

/** Where the quote begins that is never closed: the reader notices at the end of the text only. */
function unclosedQuote(document: Document, { code, pos: [noticedAt] }: YAMLParseError): number | undefined {
  let begin: number | undefined;
  if (code !== 'MISSING_CHAR') return undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (isQuoted && range && range[0] < noticedAt && noticedAt <= range[2]) begin = range[0];
    },
  });
  return begin;
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // The reader stops expanding aliases that multiply into each other.
    throw invalid(file, [
      { line: 1, key: '', found: errorMessage(error), allowed: 'aliases that do not multiply' },
    ]);
  }
}

/** More are not read by anybody. */
const MOST_FAULTS = 50;

function invalid(file: string, all: BuildspecFault[]): TandemError {
  const faults = all.slice(0, MOST_FAULTS);
  const lines = faults.map(fault => formatFault(file, fault));
  if (all.length > faults.length) lines.push(`${file}: and ${all.length - faults.length} more`);
  return new TandemError('BUILDSPEC_INVALID', lines.join('\n'), { data: { file, faults } });
}
