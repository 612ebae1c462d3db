import { replacePattern, trimPattern } from './shell-pattern.ts';

/**
 * Variable expansion as BuildKit's shell lexer does it (frontend/dockerfile/shell/lex.go): quotes are taken off,
 * `$name` and `${name}` with the modifiers `- + ?` (with or without `:`), `# ## % %%` and `/ //` are replaced, and
 * the escape character guards what follows it.
 */
export interface Expansion {
  /** `undefined` for a name that is not set. */
  lookup(name: string): string | undefined;
  escape: string;
  /** Says what is wrong with the text; throws. */
  refuse(problem: string): never;
}

/** Enough for any true use, small enough that `ENV A=$A$A`, repeated, ends in an error and not in a full memory. */
const LONGEST_RESULT = 1_048_576;
const DEEPEST_NESTING = 64;
/** Matching a pattern takes up to cubic time; no version, path or name that is cut by one is longer. */
const LONGEST_PATTERN_SUBJECT = 1_024;
const NAME = /[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#!?$-]/y;

/** One word: nothing is split. */
export function expandWord(text: string, expansion: Expansion): string {
  return new WordLexer(text, expansion).read().text;
}

/** Several words: blanks that a variable brought or that stand in the text split, quoted ones do not. */
export function expandWords(text: string, expansion: Expansion): string[] {
  return new WordLexer(text, expansion).read().words;
}

class WordLexer {
  readonly #text: string;
  readonly #expansion: Expansion;
  #position = 0;
  #depth = 0;

  constructor(text: string, expansion: Expansion) {
    this.#text = text;
    this.#expansion = expansion;
  }

  read(stop?: string, keepEscapes = false): { text: string; words: string[] } {
    let text = '';
    const words = new Words();
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position]!;
      if (character === stop) {
        this.#position += 1;
        return { text, words: words.all() };
      }
      if (character === "'" || character === '"') {
        const quoted = character === "'" ? this.#singleQuoted() : this.#doubleQuoted();
        text += quoted;
        words.addRaw(quoted);
      } else if (character === '$') {
        const value = this.#dollar();
        text += value;
        words.add(value);
      } else if (character === this.#expansion.escape) {
        this.#position += 1;
        const escaped = this.#text[this.#position] ?? '';
        this.#position += 1;
        const kept = keepEscapes ? character + escaped : escaped;
        text += kept;
        words.addRaw(kept);
      } else {
        this.#position += 1;
        text += character;
        words.add(character);
      }
      this.#checkLength(text);
    }
    if (stop !== undefined) this.#expansion.refuse(`"${this.#text}" ends before the closing ${stop}`);
    return { text, words: words.all() };
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#position + 1);
    if (end < 0) return this.#expansion.refuse(`"${this.#text}" ends before the closing '`);
    const text = this.#text.slice(this.#position + 1, end);
    this.#position = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    const { escape } = this.#expansion;
    let text = '';
    this.#position += 1;
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position]!;
      if (character === '"') {
        this.#position += 1;
        return text;
      }
      if (character === '$') {
        text += this.#dollar();
        this.#checkLength(text);
        continue;
      }
      this.#position += 1;
      if (character !== escape) {
        text += character;
        continue;
      }
      const next = this.#text[this.#position] ?? '';
      this.#position += 1;
      text += next === '"' || next === '$' || next === escape ? next : character + next;
    }
    return this.#expansion.refuse(`"${this.#text}" ends before the closing "`);
  }

  #dollar(): string {
    this.#position += 1;
    if (this.#text[this.#position] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#expansion.lookup(name) ?? '');
    }
    this.#position += 1;
    this.#depth += 1;
    if (this.#depth > DEEPEST_NESTING) this.#expansion.refuse('variables are nested too deeply');
    const value = this.#braced();
    this.#depth -= 1;
    return value;
  }

  #braced(): string {
    const name = this.#name();
    if (name === '') return this.#expansion.refuse(`bad substitution in "${this.#text}"`);
    const value = this.#expansion.lookup(name);
    let operator = this.#text[this.#position++] ?? '';
    const colon = operator === ':';
    if (colon) operator = this.#text[this.#position++] ?? '';
    const isUnset = value === undefined || (colon && value === '');
    if ('#%/'.includes(operator) && (value?.length ?? 0) > LONGEST_PATTERN_SUBJECT)
      this.#expansion.refuse(
        `${name} is longer than ${LONGEST_PATTERN_SUBJECT} characters: too long for a pattern`,
      );
    switch (operator) {
      case '}':
        if (!colon) return value ?? '';
        break;
      case '-': {
        const { text } = this.read('}');
        return isUnset ? text : value;
      }
      case '+': {
        const { text } = this.read('}');
        return isUnset ? '' : text;
      }
      case '?': {
        const { text } = this.read('}');
        const problem = value === undefined ? 'is not set' : 'is empty';
        return isUnset ? this.#expansion.refuse(`${name} ${problem}${text && `: ${text}`}`) : value;
      }
      case '#':
      case '%': {
        if (colon) break;
        const isLongest = this.#text[this.#position] === operator;
        if (isLongest) this.#position += 1;
        const { text: pattern } = this.read('}', true);
        return trimPattern(value ?? '', pattern, { side: operator === '#' ? 'start' : 'end', isLongest });
      }
      case '/': {
        if (colon) break;
        const all = this.#text[this.#position] === '/';
        if (all) this.#position += 1;
        const { text: pattern } = this.read('/', true);
        const { text: replacement } = this.read('}', true);
        return replacePattern(value ?? '', pattern, replacement, all);
      }
      default:
        break;
    }
    return this.#expansion.refuse(`unsupported modifier in "${this.#text}"`);
  }

  #name(): string {
    NAME.lastIndex = this.#position;
    const name = NAME.exec(this.#text)?.[0] ?? '';
    this.#position += name.length;
    return name;
  }

  #checkLength(text: string): void {
    if (text.length > LONGEST_RESULT) this.#expansion.refuse('its variables expand to more than 1 MiB');
  }
}

class Words {
  readonly #words: string[] = [];
  #current: string | undefined;

  add(text: string): void {
    for (const character of text) {
      if (/\s/.test(character)) this.#finish();
      else this.#current = (this.#current ?? '') + character;
    }
  }

  /** Quoted text belongs to the word whatever it holds. */
  addRaw(text: string): void {
    this.#current = (this.#current ?? '') + text;
  }

  all(): string[] {
    this.#finish();
    return this.#words;
  }

  #finish(): void {
    if (this.#current !== undefined) this.#words.push(this.#current);
    this.#current = undefined;
  }
}
