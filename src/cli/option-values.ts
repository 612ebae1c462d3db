import type { OptionDefinition } from './command.ts';

/** Reads a whole number of an option, from `minimum` up to `maximum`. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    const limit =
      maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new Error(`Write a whole number ${limit}.`);
  };
}

export const waitOption: OptionDefinition = {
  flags: '--no-wait',
  description: 'return at once instead of following it live',
};

export const commentOption: OptionDefinition = {
  flags: '--comment <text>',
  description: 'why; kept with the execution',
  default: '',
};

export const yesOption: OptionDefinition = {
  flags: '-y, --yes',
  description: 'do not ask',
  default: false,
};
