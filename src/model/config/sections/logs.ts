import { z } from 'zod';

export const logsSchema = z.strictObject({
  retentionDays: z.int().min(1).max(3653).default(30).describe('Older log events are deleted.'),
  accessLogs: z.boolean().default(true).describe('Keep the load balancers’ access logs, in S3, as long.'),
});
