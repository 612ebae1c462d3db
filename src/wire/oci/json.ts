import type { z } from 'zod';
import { TandemError } from '../../core/error.ts';

/** A sound one has some hundreds of values, four levels deep. */
const MOST_VALUES = 50_000;
const DEEPEST_NESTING = 32;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/**
 * Reads one JSON document of the image formats. Go programs write an absent list or map as `null`; here it is
 * absent. Throws `code` with the path of the first fault.
 */
export function parseDocument<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  code: 'MANIFEST_INVALID' | 'IMAGE_CONFIG_INVALID',
  what: string,
): z.output<Schema> {
  const refuse = (found: string, cause?: unknown) =>
    new TandemError(
      code,
      `The ${what} is refused: ${found}. Push it again with a client that writes OCI or Docker schema 2 images.`,
      {
        cause,
      },
    );
  const excess = findExcess(bytes);
  if (excess !== undefined) throw refuse(excess);
  let document: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    document = JSON.parse(text, (_key, value: unknown) => (value === null ? undefined : value));
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(`${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'not as specified'}`);
}

/**
 * What a parsed document takes of memory, and each fault found in it, is many times its length: so its values are
 * counted before, by the commas and brackets outside strings.
 */
function findExcess(bytes: Uint8Array): string | undefined {
  let values = 0;
  let depth = 0;
  let isInString = false;
  for (let position = 0; position < bytes.length; position += 1) {
    const byte = bytes[position]!;
    if (isInString) {
      if (byte === BACKSLASH) position += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (OPENING.includes(byte)) {
      values += 1;
      depth += 1;
    } else if (CLOSING.includes(byte)) depth -= 1;
    else if (byte === COMMA) values += 1;
    if (depth > DEEPEST_NESTING) return `it nests deeper than ${DEEPEST_NESTING} levels`;
    if (values > MOST_VALUES) return `it has more than ${MOST_VALUES} values`;
  }
  return undefined;
}
