import { invalid, type Instruction } from './instruction.ts';

/** `["a", "b"]` (the exec form), or `undefined` where the text is anything else: Docker then takes the shell form. */
export function parseExecForm(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(item => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Splits at blanks that are neither quoted nor escaped; quotes and escapes stay, for `expandWord` to take off. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position]!;
    if (character === escape && quote !== "'" && position + 1 < text.length) {
      word += character + text[position + 1]!;
      position += 1;
    } else if (quote !== '') {
      word += character;
      if (character === quote) quote = '';
    } else if (/\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (character === '"' || character === "'") quote = character;
      word += character;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** `NAME=value …`, or the old `NAME value` where the first word has no `=`. Values are unexpanded. */
export function parseAssignments(instruction: Instruction): [string, string][] {
  const words = splitWords(instruction.text, instruction.escape);
  if (!words[0]!.includes('=')) {
    const space = instruction.text.search(/\s/);
    if (space < 0) throw invalid(instruction, `"${instruction.text}" needs a value: write NAME=value`);
    return [[instruction.text.slice(0, space), instruction.text.slice(space).trim()]];
  }
  return words.map(word => {
    const equals = word.indexOf('=');
    if (equals < 0) throw invalid(instruction, `"${word}" is not NAME=value`);
    if (equals === 0) throw invalid(instruction, `"${word}" has no name before the =`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}
