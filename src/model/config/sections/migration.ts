import { z } from 'zod';
import { intact } from './text.ts';

/** What overrides a task has 8192 characters, its JSON included (Amazon ECS API reference, RunTask). */
const LONGEST_COMMAND = 8000;

export const migrationSchema = z.strictObject({
  command: z
    .array(intact(z.string().min(1)))
    .superRefine((command, context) => {
      const { length } = JSON.stringify(command);
      if (length <= LONGEST_COMMAND) return;
      context.addIssue({
        code: 'custom',
        input: command,
        message: `at most ${LONGEST_COMMAND} characters as JSON, and these are ${length}: ECS takes no longer command`,
      });
    })
    .default([])
    .describe(
      'Run on AWS in a task of the new release before it takes any request, as `["node", "migrate.js"]`; if it fails, the execution does. Empty: nothing.',
    ),
});
