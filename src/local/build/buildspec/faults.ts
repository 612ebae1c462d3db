import { isMap, isNode, isPair, isScalar, type Document, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../../../core/nearest.ts';

/** One thing wrong in a buildspec, complete enough to mend it without reading anything else. */
export interface BuildspecFault {
  line: number;
  /** `phases.build.commands[0]`; empty where the text is not YAML at all. */
  key: string;
  found: string;
  allowed: string;
}

export function formatFault(file: string, fault: BuildspecFault): string {
  const place = fault.key === '' ? '' : ` ${fault.key}:`;
  return `${file}:${fault.line}:${place} found ${fault.found}; allowed: ${fault.allowed}`;
}

type Path = readonly (string | number)[];

/** Each zod issue with the line that it is about, in the order of lines. Where several rules fail at one place, the first speaks. */
export function toFaults(
  document: Document,
  lines: LineCounter,
  issues: readonly z.core.$ZodIssue[],
): BuildspecFault[] {
  const faults = issues.flatMap(issue => {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => unknownKey(document, lines, [...path, key], issue.message));
    }
    const found = issue.code === 'invalid_key' ? `the name ${path.at(-1)}` : describe(document, path);
    const allowed =
      issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [{ line: lineOf(document, lines, path), key: formatPath(path), found, allowed }];
  });
  return faults
    .filter((fault, index) => faults.findIndex(other => other.key === fault.key) === index)
    .sort((left, right) => left.line - right.line);
}

function unknownKey(document: Document, lines: LineCounter, path: Path, known: string): BuildspecFault {
  const meant = nearest(String(path.at(-1)), known.split(', '));
  return {
    line: lineOf(document, lines, path),
    key: formatPath(path),
    found: 'a key that does not exist',
    allowed: meant === undefined ? known : `${known} (did you mean ${meant}?)`,
  };
}

function formatPath(path: Path): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '');
}

/** The line of the key at `path`; of the nearest section around it where the key is missing. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1)!;
  if (isMap(parent)) {
    const pair = parent.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === last);
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const node = document.getIn(path, true) as Node | undefined;
  return node?.range?.[0];
}

const LONGEST_FOUND = 80;

function describe(document: Document, path: Path): string {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isNode(node)) return 'nothing';
  const value = node.toJS(document) as unknown;
  if (value === '' || value === null) return 'nothing';
  const json = JSON.stringify(value);
  const shown = json.length > LONGEST_FOUND ? `${json.slice(0, LONGEST_FOUND - 1)}…` : json;
  return typeof value === 'string' ? shown : `${Array.isArray(value) ? 'the list' : 'the mapping'} ${shown}`;
}
