import { z } from 'zod';
import { formed } from './text.ts';

export const registrySchema = z.strictObject({
  keepImages: z.int().min(1).max(1000).default(10).describe('Newest images kept, besides those in use.'),
  replication: z
    .enum(['managed', 'external'])
    .default('managed')
    .describe(
      'An AWS account has one replication configuration a region. Managed: this application’s; of several in an account only one may be. External: another has a rule for it.',
    ),
  replicateAlso: z
    .array(formed(/^[a-z0-9][a-z0-9._/-]{1,255}$/, 'how names of image repositories begin, as `acme-`'))
    .max(99)
    .default([])
    .describe('For managed: what else of the account is replicated, such as its other applications.'),
  sign: z
    .boolean()
    .default(true)
    .describe(
      'On AWS, sign every image that the pipeline builds, with a key of the application in each region, and release no image without a good signature.',
    ),
});
