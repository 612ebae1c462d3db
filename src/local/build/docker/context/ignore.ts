/**
 * `.dockerignore` as moby/patternmatcher reads it: one pattern a line, `#` comments, `!` takes back, the last
 * pattern that matches a path or one of its parents wins. `*` and `?` stop at slashes, `**` does not.
 */
export interface IgnoreRules {
  isIgnored(path: string): boolean;
  /** False where nothing below an ignored folder can be taken back: it need not be walked. */
  mayTakeBackBelow(folder: string): boolean;
}

interface Rule {
  pattern: RegExp;
  isException: boolean;
  /** What stands before the first wildcard, to tell whether an exception can lie below a folder. */
  literalStart: string;
}

export function parseIgnoreFile(text: string): IgnoreRules {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter(line => !line.startsWith('#'))
    .map(line => line.trim())
    .filter(line => line !== '' && line !== '!')
    .map(toRule)
    .filter(rule => rule !== undefined);
  const exceptions = rules.filter(({ isException }) => isException);
  return {
    isIgnored(path) {
      const withParents = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
      let ignored = false;
      for (const { pattern, isException } of rules) {
        if (isException !== ignored) continue;
        if (withParents.some(candidate => pattern.test(candidate))) ignored = !isException;
      }
      return ignored;
    },
    mayTakeBackBelow(folder) {
      return exceptions.some(
        ({ literalStart }) => literalStart.startsWith(`${folder}/`) || `${folder}/`.startsWith(literalStart),
      );
    },
  };
}

function toRule(line: string): Rule | undefined {
  const isException = line.startsWith('!');
  const cleaned = cleanPath(isException ? line.slice(1).trim() : line);
  if (cleaned === '') return undefined;
  return {
    pattern: globToRegExp(cleaned, true),
    isException,
    literalStart: /^[^*?[\\]*/.exec(cleaned)![0],
  };
}

/** Go's filepath.Clean for a path taken from the root: no `.`, no `..`, no doubled or outer slashes. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/**
 * Go's filepath.Match as a regular expression; with `doubleStar`, `**` matches across slashes. Runs of stars are
 * one star, so that the expression cannot be made to backtrack without end.
 */
export function globToRegExp(glob: string, doubleStar: boolean): RegExp {
  let source = '';
  for (let position = 0; position < glob.length; position += 1) {
    const character = glob[position]!;
    if (character === '*') {
      let stars = 1;
      while (glob[position + 1] === '*') {
        position += 1;
        stars += 1;
      }
      if (stars === 1 || !doubleStar) {
        source += '[^/]*';
        continue;
      }
      if (glob[position + 1] === '/') {
        position += 1;
        source += '(?:.*/)?';
      } else {
        source += '.*';
      }
    } else if (character === '?') {
      source += '[^/]';
    } else if (character === '[') {
      const end = glob.indexOf(']', position + 2);
      if (end < 0) {
        source += '\\[';
        continue;
      }
      source += characterClass(glob.slice(position + 1, end));
      position = end;
    } else if (character === '\\' && position + 1 < glob.length) {
      position += 1;
      source += escapeForRegExp(glob[position]!);
    } else {
      source += escapeForRegExp(character);
    }
  }
  return new RegExp(`^${source}$`, 's');
}

function characterClass(text: string): string {
  const isNegated = text.startsWith('^') || text.startsWith('!');
  const body = (isNegated ? text.slice(1) : text).replace(/[\\\]^[]/g, String.raw`\$&`);
  try {
    const source = `[${isNegated ? '^/' : ''}${body}]`;
    return body === '' ? '(?!)' : new RegExp(source).source;
  } catch {
    return '(?!)'; // A range turned round, as [z-a]: matches nothing.
  }
}

function escapeForRegExp(character: string): string {
  return character.replace(/[$()*+.?[\\\]^{|}/-]/, String.raw`\$&`);
}
