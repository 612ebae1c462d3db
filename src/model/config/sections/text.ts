import { z } from 'zod';

/** Text of one form, the form in words: what a fault and the configuration reference say is allowed. */
export function formed(form: RegExp, allowed: string) {
  return z.string().regex(form, allowed).meta({ allowed });
}

export const name = formed(
  /^[a-z][a-z0-9-]{0,29}[a-z0-9]$/,
  '2 to 31 lower-case letters, digits and hyphens, a letter first, no hyphen last',
);

/** AWS: "Tag naming limits and requirements". */
export const tagValue = formed(
  /^[\p{L}\p{N} _.:/=+\-@]{1,256}$/u,
  '1 to 256 letters, digits, spaces and _ . : / = + - @',
);

export const environmentVariables = z.record(
  formed(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and underscores, no digit first'),
  z.string(),
);
