import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../core/random.ts';

/** The machine's own chance, for jitter and load spreading. */
export const systemRandom: Random = { next: () => Math.random() };

/** A new UUID (version 4), as CodePipeline names executions and ECS names tasks. */
export function newId(): string {
  return randomUUID();
}

/** Unguessable lower-case hex, `bytes` bytes of it, for tokens and temporary names. */
export function newToken(bytes = 32): string {
  return randomBytes(bytes).toString('hex');
}
