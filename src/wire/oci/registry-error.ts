/**
 * Error codes of distribution-spec 1.1 ("Error codes"); beyond them Docker's registry made TAG_INVALID, RANGE_INVALID,
 * PAGINATION_NUMBER_INVALID and UNKNOWN common, and STORAGE_FULL and UNKNOWN_ENDPOINT are this registry's own.
 */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'STORAGE_FULL'
  | 'TAG_INVALID'
  | 'UNKNOWN'
  | 'UNKNOWN_ENDPOINT'
  | 'UNSUPPORTED';

const STATUS: Record<RegistryErrorCode, number> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 405,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 413,
  STORAGE_FULL: 507,
  TAG_INVALID: 400,
  UNKNOWN: 500,
  UNKNOWN_ENDPOINT: 404,
  UNSUPPORTED: 405,
};

/** An answer of the registry's protocol to its client, who shows `message` to a person. */
export class RegistryError extends Error {
  override name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly status: number;
  readonly detail: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    code: RegistryErrorCode,
    message: string,
    options: { detail?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = STATUS[code];
    this.detail = options.detail ?? {};
    this.headers = options.headers ?? {};
  }
}

/** The JSON body of an error answer. */
export function formatRegistryError(error: RegistryError): string {
  return JSON.stringify({ errors: [{ code: error.code, message: error.message, detail: error.detail }] });
}
