/** Byte classes of RFC 9110 and RFC 9112 as tables: one look-up a byte, 1 where the byte belongs. */

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `tchar` (RFC 9110 section 5.6.2): methods and field names. */
export const isTokenByte = byteClass(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`);

/** What a field value may hold (RFC 9110 section 5.5): tab, space, visible characters and obs-text. */
export const isFieldByte = byteRanges([0x09, 0x09], [0x20, 0x7e], [0x80, 0xff]);

/** What a request target may hold. Raw non-ASCII bytes are let through, as browsers and ALB do. */
export const isTargetByte = byteRanges([0x21, 0x7e], [0x80, 0xff]);

/** `uri-host [":" port]` (RFC 3986 section 3.2.2): no slash, no `@`, no comma, no space. */
export const isHostByte = byteClass(`-._~%!$&'()*+;=:[]${DIGITS}${LETTERS}`);

/** The value of a hexadecimal digit, or 255. */
export const hexadecimalValue = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  hexadecimalValue[digit.charCodeAt(0)] = value;
  hexadecimalValue[digit.toUpperCase().charCodeAt(0)] = value;
}

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/**
 * Compares `lowerCase.length` bytes from `start` with a lower-case name. The bytes must be token bytes already:
 * setting bit 5 would make a carriage return equal to a hyphen.
 */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, lowerCase: string): boolean {
  for (let index = 0; index < lowerCase.length; index += 1) {
    if ((bytes[start + index]! | 0x20) !== lowerCase.charCodeAt(index)) return false;
  }
  return true;
}

function byteClass(members: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const member of members) table[member.charCodeAt(0)] = 1;
  return table;
}

function byteRanges(...ranges: [first: number, last: number][]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [first, last] of ranges) table.fill(1, first, last + 1);
  return table;
}
