import { createHash, timingSafeEqual, type Hash } from 'node:crypto';

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A running SHA-256 for streams. */
export function sha256Stream(): Hash {
  return createHash('sha256');
}

/** Compares secrets without telling by time where they differ. */
export function equalSecrets(left: string, right: string): boolean {
  return timingSafeEqual(
    createHash('sha256').update(left).digest(),
    createHash('sha256').update(right).digest(),
  );
}
