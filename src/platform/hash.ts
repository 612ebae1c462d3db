import { createHash, createHmac, timingSafeEqual, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

export type { Hash } from 'node:crypto';

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Shared by all calls of `sha256File`, which never overlap. */
let piece: Buffer | undefined;

/** SHA-256 of a file's content, read in pieces: for one-purpose processes, since it blocks. */
export function sha256File(path: string): string {
  const hash = createHash('sha256');
  piece ??= Buffer.allocUnsafe(262_144);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(file, piece);
      if (length === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
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

/** A running hash of one of the algorithms that OCI digests name. */
export function hashStream(algorithm: 'sha256' | 'sha512'): Hash {
  return createHash(algorithm);
}

/** HMAC-SHA-256, for signatures. */
export function hmacSha256(key: string | Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
