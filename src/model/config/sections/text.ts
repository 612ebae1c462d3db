import { z } from 'zod';

/** Rule of a list: nothing twice. */
export function eachOnce(values: readonly (string | number)[], context: z.RefinementCtx): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) < index) {
      context.addIssue({ code: 'custom', path: [index], input: value, message: 'each once' });
    }
  });
}

/** Text of one form, the form in words: what a fault and the configuration reference say is allowed. */
export function formed(form: RegExp, allowed: string) {
  return z.string().regex(form, allowed).meta({ allowed });
}

/** The same with a test that no pattern can make. */
export function passing(text: z.ZodString, test: (value: string) => boolean, allowed: string) {
  return text.superRefine((value, context) => {
    if (test(value)) return;
    context.addIssue({ code: 'invalid_format', format: 'regex', input: value, message: allowed });
  });
}

/**
 * Text that arrives as it was written. Terraform makes Unicode's composed form (NFC) of every string, and U+FFFD of half
 * a surrogate pair; no process takes a NUL.
 */
export function intact(text: z.ZodString) {
  return passing(
    text,
    value => value.isWellFormed() && value === value.normalize('NFC') && !value.includes('\0'),
    'text in Unicode’s composed form (NFC), without NUL and without half characters',
  );
}

export const name = formed(
  /^(?=.{2,31}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  '2 to 31 lower-case letters, digits and single hyphens, a letter first, no hyphen last',
);

/** AWS: "Tag naming limits and requirements". */
export const tagValue = intact(
  formed(
    /^(?! |[aA][wW][sS]:)[\p{L}\p{N} _.:/=+\-@]{1,256}(?<! )$/u,
    '1 to 256 letters, digits, spaces and _ . : / = + - @, no space first or last, and not beginning with aws:',
  ),
);

export const environmentVariables = z.record(
  formed(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and underscores, no digit first'),
  intact(z.string()),
);
