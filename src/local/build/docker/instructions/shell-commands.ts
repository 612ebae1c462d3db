/** A command of a shell text, as far as a look at the text tells: its words, quotes taken off. */
export interface ShellCommand {
  /** Without its folder: `apt-get` for `/usr/bin/apt-get`. */
  program: string;
  words: string[];
}

/** Words after which a command begins as it would at the start. */
const PREFIXES: ReadonlySet<string> = new Set([
  'if',
  'then',
  'else',
  'elif',
  'do',
  'while',
  'until',
  '!',
  '{',
  'exec',
  'command',
  'env',
  'time',
  'nice',
  'nohup',
  'xargs',
  'eval',
]);

/**
 * The commands that a shell text names, in order. This is a look and no parser: it finds what a person would see,
 * and is used only to refuse early with a clear message, never to decide what is safe to run.
 */
export function shellCommands(text: string): ShellCommand[] {
  return text
    .replace(/\\\r?\n/g, ' ')
    .split(/&&|\|\||[;|&\n()`]|\$\(/)
    .map(part => (part.match(/"(?:\\.|[^"\\])*"|'[^']*'|[^\s"']+/g) ?? []).map(unquote))
    .map(withoutPrefixes)
    .filter(words => words.length > 0)
    .map(words => ({ program: words[0]!.slice(words[0]!.lastIndexOf('/') + 1), words }));
}

function unquote(word: string): string {
  return /^(["']).*\1$/s.test(word) ? word.slice(1, -1) : word;
}

function withoutPrefixes(words: string[]): string[] {
  let start = 0;
  while (start < words.length && (PREFIXES.has(words[start]!) || /^[A-Za-z_]\w*=/.test(words[start]!)))
    start += 1;
  return words.slice(start);
}
