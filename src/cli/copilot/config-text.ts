import type { ConfigInput } from '../../model/config/schema.ts';

/** A configuration as the source of a `tandem.config.ts`, laid out as Prettier would. */
export function configText(config: ConfigInput, headline: string): string {
  return `import { defineConfig } from 'tandem';

// ${headline}
// Everything else has a default: see docs/configuration.md of Tandem.
export default defineConfig(${valueText(config, '')});
`;
}

const LINE_WIDTH = 90;

function valueText(value: unknown, indent: string): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Array.isArray(value)
    ? value.map(entry => valueText(entry, `${indent}  `))
    : Object.entries(value).map(([key, entry]) => `${keyText(key)}: ${valueText(entry, `${indent}  `)}`);
  const [open, close, gap] = Array.isArray(value) ? ['[', ']', ''] : ['{', '}', ' '];
  if (entries.length === 0) return `${open}${close}`;
  const inline = `${open}${gap}${entries.join(', ')}${gap}${close}`;
  const isShort = indent !== '' && !inline.includes('\n') && indent.length + inline.length <= LINE_WIDTH;
  if (isShort) return inline;
  return `${open}\n${entries.map(entry => `${indent}  ${entry},\n`).join('')}${indent}${close}`;
}

function keyText(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : quoted(key);
}

/** JSON's escapes are JavaScript's; only the quotes are others. */
function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}
