import { z } from 'zod';
import { configSchema } from './schema.ts';

/** What the JSON Schema of the configuration says about one place in it; only the parts used here. */
export interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: string[];
  pattern?: string;
  format?: string;
  /** What is allowed, in words, where the rest of the node does not tell it. */
  allowed?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: boolean | SchemaNode;
  propertyNames?: SchemaNode;
  items?: SchemaNode;
}

/** The configuration as data: the one source for messages and for the reference in docs/configuration.md. */
export const rootNode = z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;

export type KeyPath = readonly (string | number)[];

/** The node that a key path leads to, `undefined` where no such key exists. */
export function nodeAt(path: KeyPath): SchemaNode | undefined {
  let node: SchemaNode | undefined = rootNode;
  for (const key of path) {
    if (node === undefined) return undefined;
    const open: SchemaNode | undefined =
      typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    node = typeof key === 'number' ? node.items : (node.properties?.[key] ?? open);
  }
  return node;
}

/** `service.healthCheck.path`, `regions[1]`, `service.environment["A-B"]`. */
export function formatKeyPath(path: KeyPath): string {
  const text = path
    .map(key => {
      if (typeof key === 'number') return `[${key}]`;
      return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    })
    .join('');
  return text.startsWith('.') ? text.slice(1) : text || '(the whole configuration)';
}

/** What a place takes, for people: `a whole number from 5 to 300`, `one of "SUPERSEDED", "QUEUED", "PARALLEL"`. */
export function describeNode(node: SchemaNode): string {
  if (node.allowed !== undefined) return node.allowed;
  const choices = node.enum ?? (node.const === undefined ? undefined : [node.const]);
  if (choices) return describeChoices(choices);
  switch (node.type) {
    case 'integer':
      return `a whole number${describeRange(node)}`;
    case 'number':
      return `a number${describeRange(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return describeText(node);
    case 'array':
      return `a list, each ${describeNode(node.items ?? {})}`;
    case undefined:
    default:
      return describeObject(node);
  }
}

function describeChoices(choices: readonly unknown[]): string {
  const listed = choices.map(choice => JSON.stringify(choice)).join(', ');
  return choices.length === 1 ? listed : `one of ${listed}`;
}

function describeRange(node: SchemaNode): string {
  // JSON Schema spells an unlimited whole number as the safe integers' own limits.
  const minimum = node.minimum === Number.MIN_SAFE_INTEGER ? undefined : node.minimum;
  const maximum = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  if (node.exclusiveMinimum !== undefined) {
    return ` above ${node.exclusiveMinimum}${maximum === undefined ? '' : ` and at most ${maximum}`}`;
  }
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? '' : `, at most ${maximum}`;
}

function describeText({ minLength, maxLength, pattern, format }: SchemaNode): string {
  if (format === 'starts_with') return `text that starts with ${pattern?.slice(1).replace(/\\|\.\*$/g, '')}`;
  if (maxLength !== undefined) return `text of ${minLength ?? 0} to ${maxLength} characters`;
  return minLength === 1 ? 'text, not empty' : 'text';
}

function describeObject(node: SchemaNode): string {
  if (node.properties) return `an object with ${Object.keys(node.properties).join(', ')}`;
  return typeof node.additionalProperties === 'object'
    ? `an object of names, each with ${describeNode(node.additionalProperties)}`
    : 'a value';
}
