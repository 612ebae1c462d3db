import { z } from 'zod';
import { formed } from './text.ts';

export const driftSchema = z.strictObject({
  check: z
    .enum(['daily', 'weekly', 'never'])
    .default('daily')
    .describe(
      'How often each region looks by itself for what was changed outside Terraform since `tandem deploy`, and tells people.',
    ),
  reapplyRoleArn: formed(
    /^(arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512})?$/,
    'the ARN of a role, as arn:aws:iam::123456789012:role/deployer, or empty',
  )
    .default('')
    .describe(
      'The role by which the check puts back what was changed, where nothing else would change; empty: it only tells. ' +
        'Best the one that `tandem deploy` works with; it must trust the role <prefix>-<region>-drift.',
    ),
});
