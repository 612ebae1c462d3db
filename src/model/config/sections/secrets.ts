import { z } from 'zod';
import { formed } from './text.ts';

export const secretsSchema = z
  .record(
    formed(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of letters, digits and underscores, no digit first'),
    z.strictObject({
      generate: z
        .boolean()
        .default(false)
        .describe('Have AWS think up its first value; else a person puts one in before the first release.'),
      rotateAfterDays: z
        .int()
        .min(0)
        .max(1000)
        .default(30)
        .describe('Renewed so often, for those that are generated; 0: never.'),
    }),
  )
  .meta({ allowed: 'for each variable, `generate` (false) and `rotateAfterDays` (30)' });

/** A container cannot have a variable both plain and secret. */
export function secretFaults(
  secrets: z.output<typeof secretsSchema>,
  plain: Readonly<Record<string, string>>,
): { path: string[]; input: unknown; message: string }[] {
  return Object.keys(secrets)
    .filter(name => Object.hasOwn(plain, name))
    .map(name => ({
      path: ['secrets', name],
      input: name,
      message: `a name that service.environment does not have too`,
    }));
}
