import { z } from 'zod';

export const complianceSchema = z.strictObject({
  cloudTrail: z.boolean().default(false).describe('Keep who called what in the account, in every region.'),
  config: z.boolean().default(false).describe('Keep what every resource looked like, and when it changed.'),
  guardDuty: z.boolean().default(false).describe('Look for signs of an intruder.'),
  securityHub: z.boolean().default(false).describe('Check the account against AWS’s list of good practice.'),
  accessAnalyzer: z.boolean().default(false).describe('Find what people outside the account can reach.'),
  keepDays: z
    .int()
    .min(90)
    .max(3653)
    .default(365)
    .describe('How long the records of CloudTrail and Config are kept.'),
});
