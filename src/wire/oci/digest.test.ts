import { describe, expect, it } from 'vitest';
import { isDigest, parseDigest } from './digest.ts';

describe('a digest', () => {
  it('is taken apart', () => {
    expect(parseDigest(`sha256:${'a'.repeat(64)}`)).toEqual({ algorithm: 'sha256', hex: 'a'.repeat(64) });
    expect(parseDigest(`sha512:${'0'.repeat(128)}`)).toEqual({ algorithm: 'sha512', hex: '0'.repeat(128) });
  });

  it.each([
    '',
    'latest',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha512:${'a'.repeat(64)}`,
    `md5:${'a'.repeat(32)}`,
    `sha256:../${'a'.repeat(61)}`,
    ` sha256:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}\n`,
  ])('is not %j', text => {
    expect(isDigest(text)).toBe(false);
    expect(parseDigest(text)).toBeUndefined();
  });
});
