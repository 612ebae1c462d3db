import type { Attack } from './attack.ts';
import { DOCUMENTS } from './documents.ts';
import { LAYERS } from './layers.ts';
import { SERVERS } from './servers.ts';

export const ATTACKS: readonly Attack[] = [...LAYERS, ...DOCUMENTS, ...SERVERS];
