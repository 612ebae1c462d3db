import { z } from 'zod';
import { awsRegions } from '../regions.ts';

export const regionsSchema = z
  .array(z.enum(awsRegions))
  .min(1)
  .default(['us-east-1', 'us-west-2'])
  .superRefine((regions, context) => {
    regions.forEach((region, index) => {
      if (regions.indexOf(region) < index) {
        context.addIssue({ code: 'custom', path: [index], input: region, message: 'each region once' });
      }
    });
  });
