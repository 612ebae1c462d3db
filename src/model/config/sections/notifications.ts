import { z } from 'zod';
import { formed } from './text.ts';

export const notificationsSchema = z.strictObject({
  emails: z
    .array(formed(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'))
    .default([])
    .describe('Who is told of alarms, failures and approvals; AWS asks each to agree first.'),
});
