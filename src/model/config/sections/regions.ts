import { z } from 'zod';
import { awsRegions } from '../regions.ts';
import { eachOnce } from './text.ts';

/** Each registry copies to all others, and a registry copies to 25 at most (Amazon ECR quotas). */
const MAXIMUM = 26;

export const regionsSchema = z
  .array(z.enum(awsRegions))
  .min(1)
  .max(MAXIMUM)
  .default(['us-east-1', 'us-west-2'])
  .superRefine(eachOnce);
