import { z } from 'zod';
import { LONGEST_NAME_PREFIX } from '../name-prefix.ts';
import { formed } from './text.ts';

export const awsSchema = z.strictObject({
  accountId: formed(/^(\d{12})?$/, '12 digits, or empty')
    .default('')
    .describe('The account it belongs in: Terraform then works in no other. Also keeps bucket names unique.'),
  namePrefix: formed(
    new RegExp(`^((?=.{2,${LONGEST_NAME_PREFIX}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*)?$`),
    `2 to ${LONGEST_NAME_PREFIX} lower-case letters, digits and single hyphens, a letter first, no hyphen last; or empty`,
  )
    .default('')
    .describe('What every resource’s name begins with; empty: customer and application.'),
  architecture: z
    .enum(['X86_64', 'ARM64'])
    .default('X86_64')
    .describe('The processors that images are built for, and run on.'),
  spotPercent: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('Of tasks beyond the first, how many in a hundred run on Fargate Spot.'),
  standby: z
    .enum(['full', 'warm', 'pilot-light'])
    .default('full')
    .describe(
      'What production runs in regions other than the first: all its tasks, one, or none until it is scaled.',
    ),
  replicaWaitMinutes: z
    .int()
    .min(0)
    .max(240)
    .default(10)
    .describe(
      'How long the other regions wait for the primary’s image of a commit before they build it themselves.',
    ),
});
