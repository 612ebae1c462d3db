import { z } from 'zod';
import { eachOnce, formed } from './text.ts';

/** Amazon ECR API reference, RepositoryFilter. */
const BEGINNING = /^(?=.{2,256}$)([a-z0-9]+([._-][a-z0-9]*)*\/)*[a-z0-9]+([._-][a-z0-9]*)*\/?$/;

export const registrySchema = z.strictObject({
  keepImages: z.int().min(1).max(1000).default(10).describe('Newest images kept, besides those in use.'),
  replication: z
    .enum(['managed', 'external'])
    .default('managed')
    .describe(
      'An AWS account has one replication configuration a region. Managed: this application’s; of several in an account only one may be. External: another has a rule for it.',
    ),
  replicateAlso: z
    .array(formed(BEGINNING, 'how names of image repositories begin, as `acme-`'))
    .max(99)
    .superRefine(eachOnce)
    .default([])
    .describe('For managed: what else of the account is replicated, such as its other applications.'),
  sign: z
    .boolean()
    .default(true)
    .describe(
      'On AWS, sign every image that the pipeline builds, with a key of the application in each region, and release no image without a good signature.',
    ),
});
