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
        /^(?!(s3|dynamodb|ecr-api|ecr-dkr)$)(?!com\.|aws\.)(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/,
        'the end of an endpoint’s name, as sqs or ecr.api; s3 and dynamodb have one',
      ),
    )
    .superRefine(namedApart)
    .default([])
    .describe(
      'Further AWS services that the application calls, each with an endpoint in the network; S3 and DynamoDB always have one.',
    ),
  flowLogs: z.boolean().default(true).describe('Log who spoke to whom in the network.'),
});

/** Each makes a resource, in whose name a dot is a hyphen. */
function namedApart(services: readonly string[], context: z.RefinementCtx): void {
  const names = services.map(service => service.replaceAll('.', '-'));
  names.forEach((name, index) => {
    if (names.indexOf(name) === index) return;
    const message = 'each once, also where a dot stands for a hyphen';
    context.addIssue({ code: 'custom', path: [index], input: services[index], message });
  });
}
