import { z } from 'zod';

export const registrySchema = z.strictObject({
  keepImages: z.int().min(1).max(1000).default(10).describe('Newest images kept, besides those in use.'),
});
