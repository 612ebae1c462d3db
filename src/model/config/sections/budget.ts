import { z } from 'zod';

export const budgetSchema = z.strictObject({
  monthlyUsd: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'What a month may cost, in all regions together; 0: no budget. Counts what has the Application tag.',
    ),
  spentPercents: z
    .array(z.int().min(1).max(1000))
    .max(4)
    .default([80, 100])
    .describe('People are told when so many per cent of it are spent.'),
  forecastPercent: z
    .int()
    .min(0)
    .max(1000)
    .default(100)
    .describe('…and when AWS expects more than so many per cent by the end of the month; 0: not.'),
});
