import { z } from 'zod';
import { eachOnce } from './text.ts';

const ALLOWED = 'a number of dollars from 0 to 1000000000, with whole cents';

export const budgetSchema = z.strictObject({
  monthlyUsd: z
    .number()
    .min(0)
    .max(1e9)
    // What `multipleOf` makes of numbers close to zero is a multiple of everything.
    .refine(amount => Number(amount.toFixed(2)) === amount, { error: ALLOWED })
    .default(0)
    .describe(
      'What a month may cost, in all regions together; 0: no budget. Counts what has the Application tag.',
    )
    .meta({ allowed: ALLOWED }),
  spentPercents: z
    .array(z.int().min(1).max(1000))
    .max(4)
    .superRefine(eachOnce)
    .default([80, 100])
    .describe('People are told when so many per cent of it are spent.'),
  forecastPercent: z
    .int()
    .min(0)
    .max(1000)
    .default(100)
    .describe('…and when AWS expects more than so many per cent by the end of the month; 0: not.'),
});
