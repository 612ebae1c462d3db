import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { errorMessage } from '../../core/error.ts';

export type KeyPath = readonly (string | number)[];

/** One YAML file of a Copilot workspace, with the line of each of its keys. */
export interface Manifest {
  /** From the workspace's folder, with `/`: `copilot/web/manifest.yml`. */
  file: string;
  value: Readonly<Record<string, unknown>>;
  /** The line of a key, counted from 1; of the nearest key around it where it is not there. */
  lineOf(path: KeyPath): number;
}

/** A YAML file that cannot be used: where, what is wrong, and what mends it. */
export interface ManifestFault {
  file: string;
  line: number;
  reason: string;
}

/** Reads one file. CloudFormation's tags (`!Ref`, `!Sub`) are let through: their values are not looked at. */
export function parseManifest(file: string, text: string): Manifest | ManifestFault[] {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  if (document.errors.length > 0) {
    return document.errors.map(({ code, message, pos }) => ({
      file,
      line: lines.linePos(pos[0]).line,
      reason: `${message.replace(/[.:]?$/, '')}; ${mendOf(code, text.slice(pos[0], pos[0] + 1))}`,
    }));
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return [{ file, line: 1, reason: `${errorMessage(error)}; write the values out instead of aliases` }];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ file, line: 1, reason: 'not an object of keys; write it as Copilot does, `name: …` first' }];
  }
  return {
    file,
    value: value as Record<string, unknown>,
    lineOf: path => lines.linePos(offsetOf(document, path)).line,
  };
}

const MENDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with blanks',
  DUPLICATE_KEY: 'write the key once',
  MISSING_CHAR: 'close what was opened: a quote, a bracket',
  BAD_INDENT: 'indent the line as its neighbours are',
  MULTIPLE_DOCS: 'keep one document in the file, without `---` between',
};

function mendOf(code: string, character: string): string {
  if (/[@`%]/.test(character)) return 'put the value in quotes';
  return MENDS[code] ?? 'put values that hold `: ` or ` #` in quotes, and check the indentation';
}

function offsetOf(document: Document, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        item => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
      );
      if (!pair) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(key)];
      offset = startOf(item) ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** The value at a path written with dots; `undefined` where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), value);
}

/** Text, a number or a truth value, as text; `undefined` for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
