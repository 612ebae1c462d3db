import { z } from 'zod';
import { REMEDIES, SERVICE_ALARMS } from '../../remediation.ts';
import { formed, passing } from './text.ts';

const HOOK_URL = 'an https:// address of at most 2048 ASCII characters, without a user or password; or empty';

/** `fetch`, which asks it, takes no address with a password in it. */
function isAddress(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}

export const remediationSchema = z
  .strictObject({
    actions: z
      .partialRecord(z.enum(SERVICE_ALARMS), z.enum(REMEDIES))
      .default({})
      .describe(
        'What an alarm sets off, besides telling people: `restart` replaces all tasks, `scale-out` adds half as many again, `roll-back` goes back to the release before, `call` asks `hookUrl`.',
      )
      .meta({
        allowed: `for any of ${SERVICE_ALARMS.map(alarm => `\`${alarm}\``).join(' ')}, one of ${REMEDIES.map(remedy => `"${remedy}"`).join(', ')}`,
      }),
    maximumActions: z
      .int()
      .min(1)
      .max(50)
      .default(3)
      .describe('No more actions than this in an environment of a region within `withinMinutes`.'),
    withinMinutes: z.int().min(1).max(1440).default(60).describe('The time that `maximumActions` is for.'),
    hookUrl: passing(
      formed(/^(https:\/\/[!#-~]{1,2040})?$/, HOOK_URL),
      url => url === '' || isAddress(url),
      HOOK_URL,
    )
      .default('')
      .describe('Gets a POST with the alarm as JSON, for `call`.'),
  })
  .superRefine(({ actions, hookUrl }, context) => {
    if (hookUrl !== '' || !Object.values(actions).includes('call')) return;
    context.addIssue({
      code: 'custom',
      path: ['hookUrl'],
      input: hookUrl,
      message: 'an https:// address, since an alarm shall `call` it',
    });
  });
