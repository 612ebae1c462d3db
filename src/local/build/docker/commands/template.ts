import { unsupportedCommand } from './options.ts';

/**
 * Go templates as far as build specifications use them in `--format`: `{{.Id}}`, `{{.Config.Env}}`, `{{json .X}}`,
 * `{{index .RepoDigests 0}}`, `{{index .Config.Labels "name"}}`, and text around them. Anything else is refused by name.
 */
export function renderTemplate(template: string, value: unknown): string {
  return template
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_whole, expression: string) => evaluate(expression, value));
}

function evaluate(expression: string, value: unknown): string {
  const json = /^json\s+(\.[\w.]*)$/.exec(expression);
  if (json) return JSON.stringify(pick(value, json[1]!)) ?? 'null';
  const index = /^index\s+(?:\((index\s+.*)\)|(\.[\w.]*))\s+(\d+|"[^"]*")$/.exec(expression);
  if (index?.[2] !== undefined)
    return print(member(pick(value, index[2]), JSON.parse(index[3]!) as string | number));
  if (/^\.[\w.]*$/.test(expression)) return print(pick(value, expression));
  throw unsupportedCommand(`the template "{{${expression}}}"`, 'only fields, json and index are read');
}

function pick(value: unknown, path: string): unknown {
  return path
    .split('.')
    .filter(part => part !== '')
    .reduce<unknown>((from, part) => member(from, part), value);
}

function member(from: unknown, key: string | number): unknown {
  if (typeof from !== 'object' || from === null || !Object.hasOwn(from, key)) return undefined;
  return (from as Record<string | number, unknown>)[key];
}

/** As Go prints: strings bare, lists in brackets, maps as `map[a:b]`. */
function print(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.entries(value)
      .map(([name, item]) => `${name}:${print(item)}`)
      .join(' ')}]`;
  return `${value as string | number}`;
}
