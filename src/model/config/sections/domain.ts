import { z } from 'zod';
import { formed } from './text.ts';

export const domainSchema = z
  .strictObject({
    name: formed(
      /^(?=.{0,64}$)(([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9]))?$/,
      'a host name as `shop.example.com`, at most 64 characters as certificates want it; or empty',
    )
      .default('')
      .describe('Production’s host name, staging’s is `staging.` before it; empty: HTTP only.'),
    zoneId: formed(/^(Z[A-Z0-9]{5,31})?$/, 'the id of a Route 53 zone as `Z0123456789ABC`, or empty')
      .default('')
      .describe('The Route 53 zone that the name is in.'),
  })
  .superRefine(({ name, zoneId }, context) => {
    if ((name === '') === (zoneId === '')) return;
    const missing = name === '' ? 'name' : 'zoneId';
    context.addIssue({
      code: 'custom',
      path: [missing],
      input: '',
      message: 'set: domain.name and domain.zoneId go together, a certificate needs both',
    });
  });
