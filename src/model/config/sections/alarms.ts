import { z } from 'zod';

/** A load balancer waits no longer for an answer (its idle timeout at most); the metric counts in milliseconds. */
const LONGEST_RESPONSE_SECONDS = 4000;

export const alarmsSchema = z.strictObject({
  cpuPercent: z.int().min(1).max(100).default(80).describe('CPU above this for 2 minutes.'),
  memoryPercent: z.int().min(1).max(100).default(80).describe('Memory above this for 2 minutes.'),
  serverErrors: z.int().min(0).default(10).describe('More answers of 5xx than this in 5 minutes.'),
  responseTimeSeconds: z
    .number()
    .min(0.001)
    .max(LONGEST_RESPONSE_SECONDS)
    .default(1)
    .describe('Average response time above this in 3 of 5 minutes.'),
});
