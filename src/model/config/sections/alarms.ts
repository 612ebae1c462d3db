import { z } from 'zod';

export const alarmsSchema = z.strictObject({
  cpuPercent: z.int().min(1).max(100).default(80).describe('CPU above this for 2 minutes.'),
  memoryPercent: z.int().min(1).max(100).default(80).describe('Memory above this for 2 minutes.'),
  serverErrors: z.int().min(0).default(10).describe('More answers of 5xx than this in 5 minutes.'),
  responseTimeSeconds: z
    .number()
    .positive()
    .default(1)
    .describe('Average response time above this in 3 of 5 minutes.'),
});
