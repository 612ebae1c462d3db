import { systemErrorCode } from '../../core/error.ts';

const SQLITE_FULL = 13;

/** True where the disk, a quota or the database has no room left. */
export function isStorageFull(thrown: unknown): boolean {
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemErrorCode(thrown) ?? '')) return true;
  return thrown instanceof Error && 'errcode' in thrown && thrown.errcode === SQLITE_FULL;
}
