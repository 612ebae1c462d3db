import { z } from 'zod';
import { formed } from './text.ts';

/** Terraform works in the one account of the file, and refuses what another account's role can reach. */
export function reapplyRoleFaults(config: {
  drift: { reapplyRoleArn: string };
  aws: { accountId: string };
}): { path: string[]; input: string; message: string }[] {
  const { reapplyRoleArn } = config.drift;
  const { accountId } = config.aws;
  const isElsewhere = reapplyRoleArn !== '' && accountId !== '' && reapplyRoleArn.split(':')[4] !== accountId;
  const message = `a role of aws.accountId (${accountId}), or empty`;
  return isElsewhere ? [{ path: ['drift', 'reapplyRoleArn'], input: reapplyRoleArn, message }] : [];
}

export const driftSchema = z.strictObject({
  check: z
    .enum(['daily', 'weekly', 'never'])
    .default('daily')
    .describe(
      'How often each region looks by itself for what was changed outside Terraform since `tandem deploy`, and tells people.',
    ),
  reapplyRoleArn: formed(
    /^(arn:aws:iam::\d{12}:role\/([\w+=,.@-]{1,128}\/){0,8}[\w+=,.@-]{1,64})?$/,
    'the ARN of a role, as arn:aws:iam::123456789012:role/deployer, or empty',
  )
    .default('')
    .describe(
      'The role by which the check puts back what was changed, where nothing else would change; empty: it only tells. ' +
        'Best the one that `tandem deploy` works with; it must trust the role <prefix>-<region>-drift.',
    ),
});
