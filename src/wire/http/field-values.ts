import { COLON, CR, equalsIgnoringCase, LF, SPACE, TAB } from './characters.ts';

/**
 * The values of the named fields (in lower case) among the lines `bytes[at, end)` of a head that was found right: of each the
 * first that there is, no more than `longest` bytes of it, or `undefined`. For what only a log asks for, so that reading a
 * head need not look for it.
 */
export function fieldValues(
  bytes: Buffer,
  at: number,
  end: number,
  names: readonly string[],
  longest: number,
): (string | undefined)[] {
  const values: (string | undefined)[] = names.map(() => undefined);
  while (at < end) {
    let index = 0;
    while (index < names.length && !isNamed(bytes, at, end, names[index]!)) index += 1;
    const isWanted = index < names.length;
    const valueStart = isWanted ? at + names[index]!.length + 1 : at;
    let lineEnd = valueStart;
    while (lineEnd < end && bytes[lineEnd] !== LF) lineEnd += 1;
    if (isWanted) values[index] ??= textWithin(bytes, valueStart, lineEnd, longest);
    at = lineEnd + 1;
  }
  return values;
}

function isNamed(bytes: Buffer, at: number, end: number, name: string): boolean {
  return at + name.length < end && bytes[at + name.length] === COLON && equalsIgnoringCase(bytes, at, name);
}

function textWithin(bytes: Buffer, start: number, end: number, longest: number): string {
  while (start < end && isBlank(bytes[start]!)) start += 1;
  while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
  return bytes.toString('latin1', start, Math.min(end, start + longest));
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}
