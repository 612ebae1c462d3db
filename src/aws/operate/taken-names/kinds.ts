import { DATABASES } from './databases.ts';
import { DELIVERY } from './delivery.ts';
import { MESSAGES } from './messages.ts';
import { MONITORING } from './monitoring.ts';
import type { NamedKinds } from './named-kind.ts';
import { SECURITY } from './security.ts';
import { SERVING } from './serving.ts';
import { STORAGE } from './storage.ts';

/** Every kind whose names are asked for before an apply; a test holds that no other of ours needs to be. */
export const NAMED_KINDS: NamedKinds = {
  ...STORAGE,
  ...DATABASES,
  ...SECURITY,
  ...DELIVERY,
  ...SERVING,
  ...MESSAGES,
  ...MONITORING,
};
