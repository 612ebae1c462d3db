import { z } from 'zod';

export const migrationSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Run on AWS in a task of the new release before it takes any request, as `["node", "migrate.js"]`; if it fails, the execution does. Empty: nothing.',
    ),
});
