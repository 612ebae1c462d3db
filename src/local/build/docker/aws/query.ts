import { TandemError } from '../../../../core/error.ts';

/**
 * `--query` as far as it is a path (JMESPath identifiers, `[0]`, `[-1]`, `[]`, `[*]`, and a list of names in square
 * brackets at the end). Throws AWS_QUERY_UNSUPPORTED for anything else.
 */
export function applyQuery(document: unknown, query: string): unknown {
  const steps = query.match(/[A-Za-z_]\w*|"[^"]+"|\[-?\d+\]|\[\*?\]|\./g) ?? [];
  if (steps.join('') !== query.replace(/\s/g, ''))
    throw new TandemError(
      'AWS_QUERY_UNSUPPORTED',
      `--query "${query}" is more than a path as images[0].tag, which is all that is read here. Take the whole answer and filter it with node or jq.`,
    );
  return step(
    document,
    steps.filter(part => part !== '.'),
  );
}

function step(value: unknown, steps: readonly string[]): unknown {
  const [first, ...rest] = steps;
  if (first === undefined) return value ?? null;
  if (first === '[]' || first === '[*]') {
    if (!Array.isArray(value)) return null;
    const items: unknown[] = first === '[]' ? value.flat() : value;
    return items.map(item => step(item, rest)).filter(item => item !== null);
  }
  const index = /^\[(-?\d+)\]$/.exec(first)?.[1];
  if (index !== undefined) return Array.isArray(value) ? step(value.at(Number(index)) ?? null, rest) : null;
  const name = first.replaceAll('"', '');
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
  return step((value as Record<string, unknown>)[name], rest);
}

/** As the AWS CLI prints: JSON with four blanks, or text with tabs. */
export function formatOutput(value: unknown, format: string): string {
  if (format === 'json') return `${JSON.stringify(value, undefined, 4)}\n`;
  if (format === 'text') return `${asText(value)}\n`;
  throw new TandemError(
    'AWS_QUERY_UNSUPPORTED',
    `--output ${format} is not written here. Write json or text.`,
  );
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) {
    const separator = value.every(item => typeof item !== 'object') ? '\t' : '\n';
    return value.map(asText).join(separator);
  }
  if (typeof value === 'object') {
    // The CLI sorts a record's fields by name.
    const names = Object.keys(value).sort();
    return names.map(name => asText((value as Record<string, unknown>)[name])).join('\t');
  }
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return `${value as string | number}`;
}
