import { invalid, unsupported, type Flag, type Instruction } from './instruction.ts';

/**
 * Takes leading `--name=value` words off an instruction's text (BuildKit's extractBuilderFlags): quotes and escapes
 * keep blanks within a flag, `--` alone ends the flags.
 */
export function parseFlags(text: string, escape: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let position = 0;
  for (;;) {
    while (/\s/.test(text[position] ?? '')) position += 1;
    if (!text.startsWith('--', position)) return { flags, rest: text.slice(position) };
    const { word, end } = flagWord(text, position, escape);
    position = end;
    if (word === '--') return { flags, rest: text.slice(position) };
    const equals = word.indexOf('=');
    flags.push(
      equals < 0 ? { name: word.slice(2) } : { name: word.slice(2, equals), value: word.slice(equals + 1) },
    );
  }
}

function flagWord(text: string, start: number, escape: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let position = start;
  for (; position < text.length; position += 1) {
    const character = text[position]!;
    if (character === escape && position + 1 < text.length) {
      position += 1;
      word += text[position]!;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (/\s/.test(character)) {
      break;
    } else {
      word += character;
    }
  }
  return { word, end: position };
}

export interface FlagRules {
  /** Flags that need a value. */
  values: readonly string[];
  /** Flags that may stand alone, or with `=true` or `=false`. */
  switches?: readonly string[];
  /** Flags that Docker knows and plain processes cannot honour, with the reason. */
  unsupported?: Readonly<Record<string, string>>;
}

/** Every flag by name, checked; a repeated flag keeps all its values in order. */
export function checkFlags(instruction: Instruction, rules: FlagRules): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, value } of instruction.flags) {
    const reason = rules.unsupported?.[name];
    if (reason !== undefined) throw unsupported(instruction, `--${name} ${reason}`);
    if (rules.switches?.includes(name)) {
      if (value !== undefined && value !== 'true' && value !== 'false')
        throw invalid(instruction, `--${name} is true or false, not "${value}"`);
      found.set(name, [value ?? 'true']);
      continue;
    }
    if (!rules.values.includes(name)) throw invalid(instruction, `unknown flag: --${name}`);
    if (value === undefined || value === '') throw invalid(instruction, `--${name} needs a value`);
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}
