import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeNode, rootNode, type SchemaNode } from '../src/model/config/describe.ts';
import { configSchema } from '../src/model/config/schema.ts';

/*
 * Writes docs/configuration.md and docs/examples/tandem.config.ts from the schema: `npx node docs/generate-configuration.ts`.
 * A test compares what would be written with what is there.
 */

const EXAMPLE_APPLICATION = 'storefront';
const defaults: unknown = configSchema.parse({ application: EXAMPLE_APPLICATION });

/** The reference: a table a section, every key with its default and what it takes. */
export function configurationReference(): string {
  return `# Configuration reference

<!-- Written by docs/generate-configuration.ts from src/model/config/schema.ts; edit those. -->

One file, \`tandem.config.ts\`, in the application's folder:

\`\`\`ts
import { defineConfig } from 'tandem';

export default defineConfig({ application: '${EXAMPLE_APPLICATION}' });
\`\`\`

Only \`application\` is required. [examples/tandem.config.ts](examples/tandem.config.ts) has every key with its default.
An invalid file changes nothing; \`tandem\` then tells every fault at once, each with its key path, what was found and
what is allowed.
${sections(rootNode, []).join('')}
## \`environments\`

${rootNode.properties?.['environments']?.description} Each of ${listed(environments)} may set:
${Object.entries(overridable)
  .map(([section, node]) => `- of \`${section}\`: ${listed(node.properties)}`)
  .join('\n')}

${ownKeys().join('\n')}

The result must be as valid as the sections themselves. The pipeline deploys to \`staging\` and \`production\`.
`;
}

const environments = rootNode.properties?.['environments']?.properties;
const overridable = environments?.['production']?.properties ?? {};

/** What one environment alone may set. */
function ownKeys(): string[] {
  return Object.entries(environments ?? {}).flatMap(([environment, { properties }]) =>
    Object.entries(properties ?? {})
      .filter(([key]) => !(key in overridable))
      .map(
        ([key, node]) =>
          `\`environments.${environment}.${key}\` (${describeNode(node)}; default \`${JSON.stringify(node.default)}\`): ${node.description}`,
      ),
  );
}

function listed(keys: Record<string, SchemaNode> = {}): string {
  return Object.keys(keys)
    .map(key => `\`${key}\``)
    .join(', ');
}

function sections(node: SchemaNode, path: readonly string[]): string[] {
  const entries = Object.entries(node.properties ?? {});
  const rows = entries
    .filter(([, child]) => child.properties === undefined)
    .map(([key, child]) => {
      const value = defaultAt([...path, key]);
      const shown = child.default === undefined ? '' : `\`${JSON.stringify(value ?? child.default)}\``;
      return `| \`${key}\` | ${shown} | ${inCell(describeForTable(child))} | ${inCell(child.description ?? '')} |`;
    });
  const isTop = path.length === 0;
  const heading = isTop ? '## Top level' : `## \`${path.join('.')}\``;
  const introduction = node.description && !isTop ? `\n${node.description}\n` : '';
  const table =
    rows.length > 0
      ? `\n| key | default | takes | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
      : '';
  const children = entries
    .filter(([key, child]) => child.properties !== undefined && key !== 'environments')
    .flatMap(([key, child]) => sections(child, [...path, key]));
  return [`\n${heading}\n${introduction}${table}`, ...children];
}

/** Too many to name wherever they can be chosen from. */
function isListOfRegions(node: SchemaNode): boolean {
  return node.items?.enum?.includes('us-east-1') ?? false;
}

function describeForTable(node: SchemaNode): string {
  return isListOfRegions(node)
    ? `a list of AWS regions: ${node.items!.enum!.map(region => `\`${region}\``).join(' ')}`
    : describeNode(node);
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** A config file with every key, each at its default, each with its meaning above it. */
export function configurationExample(): string {
  const body = members(rootNode, [], 1);
  return `import { defineConfig } from 'tandem';

// Every key with its default; only \`application\` has none. Written by docs/generate-configuration.ts.
export default defineConfig({
${body}
});
`;
}

function members(node: SchemaNode, path: readonly string[], depth: number): string {
  const indent = '  '.repeat(depth);
  return Object.entries(node.properties ?? {})
    .map(([key, child]) => {
      const comment = comments(child, path).map(line => `${indent}// ${line}\n`);
      // What an environment overrides has no default of its own: the section stays empty.
      const isSection = child.properties !== undefined && path[0] !== 'environments';
      const value = isSection
        ? `{\n${members(child, [...path, key], depth + 1)}\n${indent}}`
        : literal(defaultAt([...path, key]), indent);
      return `${comment.join('')}${indent}${key}: ${value},`;
    })
    .join('\n');
}

function comments(node: SchemaNode, path: readonly string[]): string[] {
  if (node.properties || path[0] === 'environments') return node.description ? [node.description] : [];
  const takes = isListOfRegions(node) ? 'AWS regions.' : `${describeNode(node)}.`;
  return [node.description ?? '', takes.charAt(0).toUpperCase() + takes.slice(1)].filter(Boolean);
}

function defaultAt(path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value ? (value as Record<string, unknown>)[key] : undefined,
    defaults,
  );
}

/** Lists of objects an object a line, as prettier has them. */
function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value) && value.some(entry => typeof entry === 'object')) {
    return `[\n${value.map(entry => `${indent}  ${literal(entry)},\n`).join('')}${indent}]`;
  }
  if (Array.isArray(value)) return `[${value.map(entry => literal(entry)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, entry]) => `${key}: ${literal(entry)}`);
    return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}';
  }
  return String(value);
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, 'configuration.md'), configurationReference());
  writeFileSync(join(import.meta.dirname, 'examples', 'tandem.config.ts'), configurationExample());
}
