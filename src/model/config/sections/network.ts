import { z } from 'zod';
import { formed } from './text.ts';

export const networkSchema = z.strictObject({
  firstBlock: z
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe('The first region’s network is 10.<this>.0.0/16, each further region’s the next.'),
  nat: z
    .enum(['per-zone', 'single', 'regional', 'none'])
    .default('single')
    .describe(
      'NAT gateways: one a zone, one for all zones of a region, AWS’s regional one, or none: tasks then reach only AWS services that have an endpoint.',
    ),
  endpoints: z
    .array(
      formed(
        /^(?!(s3|dynamodb)$)[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/,
        'the end of an endpoint’s name, as sqs or ecr.api; s3 and dynamodb have one',
      ),
    )
    .default([])
    .describe(
      'Further AWS services that the application calls, each with an endpoint in the network; S3 and DynamoDB always have one.',
    ),
  flowLogs: z.boolean().default(true).describe('Log who spoke to whom in the network.'),
});
