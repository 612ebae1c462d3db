import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';

/** Where a string stands in a document, and what it is: `resource.aws_lb.main.name`. */
interface PlacedText {
  path: string;
  text: string;
}

/** Heads of references that no document has to declare. */
const GIVEN = new Set(['path', 'terraform', 'each', 'count', 'self']);

/** Every reference of a document, in templates and in `depends_on`, that leads to nothing in that document. */
export function danglingReferences(document: TerraformDocument): string[] {
  const declared = declarationsOf(document);
  const { terraform: _settings, ...blocks } = document;
  return textsOf(blocks).flatMap(({ path, text }) => {
    const references = /\.(depends_on|replace_triggered_by)\.\d+$/.test(path)
      ? [text]
      : templatesOf(text).flatMap(identifiersOf);
    return references
      .filter(reference => !leadsSomewhere(reference, declared))
      .map(reference => `${path}: ${reference}`);
  });
}

/** All strings of a value, keys of objects left out. */
function textsOf(value: unknown, path = ''): PlacedText[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) =>
    textsOf(entry, path === '' ? key : `${path}.${key}`),
  );
}

/** Addresses as expressions write them, without attributes: `aws_lb.main`, `data.aws_vpc.network`, `local.x`. */
function declarationsOf(document: TerraformDocument): ReadonlySet<string> {
  const twoLevels = (block: string, prefix: string) =>
    Object.entries((document[block] ?? {}) as Record<string, Record<string, unknown>>).flatMap(
      ([type, named]) => Object.keys(named).map(name => `${prefix}${type}.${name}`),
    );
  const oneLevel = (block: string, prefix: string) =>
    Object.keys((document[block] ?? {}) as Record<string, unknown>).map(name => `${prefix}.${name}`);
  return new Set([
    ...twoLevels('resource', ''),
    ...twoLevels('data', 'data.'),
    ...twoLevels('ephemeral', 'ephemeral.'),
    ...oneLevel('locals', 'local'),
    ...oneLevel('variable', 'var'),
    ...oneLevel('module', 'module'),
    ...oneLevel('provider', 'provider'),
  ]);
}

function leadsSomewhere(reference: string, declared: ReadonlySet<string>): boolean {
  const parts = reference.split('.');
  if (GIVEN.has(parts[0]!)) return true;
  const length = parts[0] === 'data' || parts[0] === 'ephemeral' ? 3 : 2;
  return declared.has(parts.slice(0, length).join('.'));
}

/** What stands in `${…}`, nested braces and quoted text included; `$${` is text. */
function templatesOf(text: string): string[] {
  const found: string[] = [];
  for (let index = 0; index < text.length; index += 1) {
    if (text.startsWith('$${', index)) index += 2;
    else if (text.startsWith('${', index)) {
      const end = endOfTemplate(text, index + 2);
      found.push(text.slice(index + 2, end));
      index = end;
    }
  }
  return found;
}

/** Where the brace is that closes a template. Throws where there is none: Terraform would not read the document. */
function endOfTemplate(text: string, start: number): number {
  for (let index = start, depth = 1; index < text.length; index += 1) {
    if (text[index] === '"') index = endOfQuote(text, index);
    else if (text[index] === '{') depth += 1;
    else if (text[index] === '}' && (depth -= 1) === 0) return index;
  }
  throw new Error(`a template has no end: ${text.slice(start - 2, start + 80)}`);
}

function endOfQuote(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index;
  }
  throw new Error(`quoted text in a template has no end: ${text.slice(start, start + 80)}`);
}

/** Dotted names of an expression. Quoted text is left out, but for the templates in it; functions have no dots. */
function identifiersOf(expression: string): string[] {
  const quoted = [...expression.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].flatMap(([, text]) => templatesOf(text!));
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""');
  const names = [...bare.matchAll(/(?<![\w.)\]-])[A-Za-z_][\w-]*(?:\.[\w-]+)+/g)].map(([name]) => name);
  return [...names, ...quoted.flatMap(identifiersOf)];
}
