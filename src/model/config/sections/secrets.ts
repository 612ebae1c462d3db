import { z } from 'zod';
import { formed } from './text.ts';

export const secretsSchema = z
  .record(
    formed(
      /^[A-Za-z_][A-Za-z0-9_]{0,199}$/,
      'a name of at most 200 letters, digits and underscores, no digit first',
    ),
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
