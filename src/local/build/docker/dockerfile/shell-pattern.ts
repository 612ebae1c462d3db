/**
 * The shell's patterns in `${name#pattern}` and its kin: `*` and `?`, and the backslash that guards one character.
 * Matched without regular expressions, so that no pattern of a Dockerfile can take exponential time.
 */
interface PatternPart {
  kind: 'any' | 'one' | 'text';
  text: string;
}

export function trimPattern(
  value: string,
  pattern: string,
  how: { side: 'start' | 'end'; isLongest: boolean },
): string {
  const parts = parsePattern(pattern);
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (how.isLongest) lengths.reverse();
  for (const length of lengths) {
    const cut = how.side === 'start' ? value.slice(0, length) : value.slice(value.length - length);
    if (!matches(cut, parts)) continue;
    return how.side === 'start' ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}

/** Each match is the longest at the leftmost place, as the shell takes it. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  const parts = parsePattern(pattern);
  if (parts.length === 0) return value;
  let result = '';
  let position = 0;
  while (position < value.length) {
    const length = longestMatch(value, position, parts);
    if (length === 0) {
      result += value[position]!;
      position += 1;
      continue;
    }
    result += replacement;
    position += length;
    if (!all) break;
  }
  return result + value.slice(position);
}

function longestMatch(value: string, start: number, parts: PatternPart[]): number {
  for (let end = value.length; end > start; end -= 1)
    if (matches(value.slice(start, end), parts)) return end - start;
  return 0;
}

function parsePattern(pattern: string): PatternPart[] {
  const parts: PatternPart[] = [];
  for (let position = 0; position < pattern.length; position += 1) {
    const character = pattern[position]!;
    if (character === '*') parts.push({ kind: 'any', text: '' });
    else if (character === '?') parts.push({ kind: 'one', text: '' });
    else if (character === '\\' && position + 1 < pattern.length)
      parts.push({ kind: 'text', text: pattern[(position += 1)]! });
    else parts.push({ kind: 'text', text: character });
  }
  return parts;
}

/** The usual two-finger match: on a mismatch, the last `*` takes one character more. */
function matches(value: string, parts: PatternPart[]): boolean {
  let at = 0;
  let part = 0;
  let star = -1;
  let starAt = 0;
  while (at < value.length) {
    const current = parts[part];
    if (current?.kind === 'any') {
      star = part;
      starAt = at;
      part += 1;
    } else if (current !== undefined && (current.kind === 'one' || current.text === value[at])) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      part = star + 1;
      starAt += 1;
      at = starAt;
    } else {
      return false;
    }
  }
  return parts.slice(part).every(({ kind }) => kind === 'any');
}
