import type { z } from 'zod';
import { TandemError } from '../../core/error.ts';

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
