/**
 * Terraform reads `${…}` and `%{…}` in every string of a document. What a user wrote must arrive as it was written, so
 * all of it passes here once, at the door.
 */
export function literalText(text: string): string {
  // A function, for `$$` in a replacement's text would mean one `$`.
  return text.replaceAll(/[$%]\{/g, found => `${found[0]}${found}`);
}

/** The same for all strings of a value, names of properties included. */
export function literalValue<Value>(value: Value): Value {
  return escape(value) as Value;
}

function escape(value: unknown): unknown {
  if (typeof value === 'string') return literalText(value);
  if (Array.isArray(value)) return value.map(escape);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [literalText(key), escape(entry)]));
}
