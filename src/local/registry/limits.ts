import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/duration.ts';

export interface RegistryLimits {
  /** Largest blob that is taken. */
  blobBytes: number;
  /** Largest manifest (distribution-spec 1.1 asks for at least 4 MiB). */
  manifestBytes: number;
  /** An upload that nobody continues is removed after this long. */
  uploadExpiresAfterMs: number;
  /** A client that sends nothing for this long is cut off; what it sent is kept. */
  idleMs: number;
  /** How long a push may take from its first blob to its last manifest; younger blobs that nothing names are kept. */
  graceMs: number;
}

export const REGISTRY_LIMITS: RegistryLimits = {
  blobBytes: 10 * 1024 ** 3,
  manifestBytes: 4 * 1024 ** 2,
  uploadExpiresAfterMs: DAY_MS,
  idleMs: MINUTE_MS,
  graceMs: HOUR_MS,
};
