import { parse, type ParserOptions } from '@babel/parser';
import { readFile } from 'node:fs/promises';

/** A key that one object of a module's text has twice. JavaScript takes the later, and says nothing of the earlier. */
export interface RepeatedKey {
  /** From the outermost object literal on, the key itself last. */
  path: string[];
  line: number;
  firstLine: number;
}

interface SyntaxNode {
  type: string;
  loc: { start: { line: number } };
}

/** The repeated keys in the object literals of a TypeScript module; none where it cannot be parsed. */
export async function repeatedKeys(path: string): Promise<RepeatedKey[]> {
  const options: ParserOptions = { sourceType: 'module', plugins: ['typescript'], errorRecovery: true };
  const text = await readFile(path, 'utf8');
  try {
    return [...repeatedIn(parse(text, options).program.body, [])];
  } catch {
    return [];
  }
}

function* repeatedIn(value: unknown, path: readonly string[]): Generator<RepeatedKey> {
  if (typeof value !== 'object' || value === null) return;
  if (isObjectLiteral(value)) {
    const lines = new Map<string, number>();
    for (const property of value.properties) {
      const key = keyOf(property);
      const { line } = property.loc.start;
      if (key !== undefined) {
        const firstLine = lines.get(key);
        if (firstLine === undefined) lines.set(key, line);
        else yield { path: [...path, key], line, firstLine };
      }
      yield* repeatedIn(property.value ?? property, key === undefined ? path : [...path, key]);
    }
    return;
  }
  for (const child of Object.values(value)) yield* repeatedIn(child, path);
}

interface Property extends SyntaxNode {
  computed?: boolean;
  key?: SyntaxNode & { name?: string; value?: unknown };
  value?: unknown;
}

function isObjectLiteral(value: object): value is SyntaxNode & { properties: Property[] } {
  return 'type' in value && value.type === 'ObjectExpression';
}

/** What is written as a name, as text or as a number; not what is spread, worked out, or a method or accessor. */
function keyOf({ type, key, computed }: Property): string | undefined {
  if (type !== 'ObjectProperty' || key === undefined || computed === true) return undefined;
  return key.name ?? String(key.value);
}
