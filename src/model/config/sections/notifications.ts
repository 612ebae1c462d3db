import { z } from 'zod';
import { eachOnce, formed } from './text.ts';

/** One address by itself, without a name and without signs that have a meaning in a header. */
const ADDRESS =
  /^(?=[^@]{1,64}@.{4,189}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;

export const notificationsSchema = z.strictObject({
  emails: z
    .array(formed(ADDRESS, 'an e-mail address as `ada@example.com`'))
    .superRefine(eachOnce)
    .default([])
    .describe('Who is told of alarms, failures and approvals; AWS asks each to agree first.'),
});
