/**
 * Content digests (OCI image-spec 1.1, descriptor.md#digests). `sha256` is what every client sends; `sha512` is
 * the other registered algorithm.
 */
export type DigestAlgorithm = 'sha256' | 'sha512';

export interface DigestParts {
  algorithm: DigestAlgorithm;
  /** Lower-case, 64 or 128 digits. */
  hex: string;
}

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** `undefined` where the text is not a digest of a supported algorithm. */
export function parseDigest(text: string): DigestParts | undefined {
  if (!isDigest(text)) return undefined;
  const colon = text.indexOf(':');
  return { algorithm: text.slice(0, colon) as DigestAlgorithm, hex: text.slice(colon + 1) };
}
