import { z } from 'zod';
import { ENVIRONMENTS } from '../../names.ts';
import { eachOnce } from './text.ts';

const RULE_GROUPS = ['common', 'known-bad-inputs', 'ip-reputation', 'anonymous-ip', 'sql', 'linux'] as const;

export const wafSchema = z.strictObject({
  environments: z
    .array(z.enum(ENVIRONMENTS))
    .superRefine(eachOnce)
    .default([])
    .describe('Which have a web application firewall: about 9 USD a month each, in each region.'),
  requestsPerClient: z
    .int()
    .min(10)
    .max(2_000_000_000)
    .default(2000)
    .describe('Requests in five minutes after which a client address is refused (403) until it asks less.'),
  ruleGroups: z
    .array(z.enum(RULE_GROUPS))
    .superRefine(eachOnce)
    .default(['common', 'known-bad-inputs', 'ip-reputation'])
    .describe('Rules against known attacks, which AWS keeps up to date.'),
});
