import { z } from 'zod';
import { configSchema } from '../model/config/schema.ts';
import type { CloudRecord } from './cloud-record.ts';

const regionRecordSchema = z.object({
  region: z.string(),
  address: z.string(),
  controlPort: z.int(),
  productionPort: z.int(),
  stagingPort: z.int(),
});

/** A record of an earlier version gets the defaults of every setting that came since. */
export const cloudRecordSchema: z.ZodType<CloudRecord> = z.object({
  version: z.literal(1),
  program: z.object({ version: z.string(), entry: z.string() }).optional(),
  configPath: z.string(),
  config: configSchema,
  timing: z.enum(['fast', 'aws']),
  internalToken: z.string(),
  regions: z.array(regionRecordSchema).min(1),
});
