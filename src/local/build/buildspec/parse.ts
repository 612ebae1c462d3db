import { LineCounter, parseDocument, visit, type Document, type YAMLParseError } from 'yaml';
import { errorMessage, TandemError } from '../../../core/error.ts';
import { formatFault, toFaults, type BuildspecFault } from './faults.ts';
import { buildspecSchema, type Buildspec } from './schema.ts';

/**
 * Reads a buildspec. Throws BUILDSPEC_INVALID, whose message lists every fault with file, line, key, what was found
 * and what is allowed (`data.faults` has the same for programs).
 */
export function parseBuildspec(source: string, file: string): Buildspec {
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

function invalid(file: string, faults: BuildspecFault[]): TandemError {
  return new TandemError('BUILDSPEC_INVALID', faults.map(fault => formatFault(file, fault)).join('\n'), {
    data: { file, faults },
  });
}
