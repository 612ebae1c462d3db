import { assert } from '../../core/assert.ts';

export type Values = Readonly<Record<string, unknown>>;

/** A resource as far as its price goes, whether it was read from what is synthesised, from a plan, or from a state. */
export interface Resource {
  /** Tells root modules apart, each of which has addresses of its own. */
  module: number;
  /** `aws_nat_gateway.network_nat_a`. */
  address: string;
  type: string;
  region: string;
  /** `shared` where it belongs to no single environment. */
  environment: string;
  values: Values;
  /** Addresses of the resources that it refers to. */
  references: readonly string[];
}

/** A Terraform document in JSON, as far as it is read here. */
export interface Document {
  resource?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  provider?: { aws?: unknown };
}

/** Every resource of the given root modules. Its region is the provider's; a resource may name another. */
export function resourcesOfDocuments(documents: readonly Document[]): Resource[] {
  return documents.flatMap(resourcesOfDocument);
}

function resourcesOfDocument(document: Document, module: number): Resource[] {
  const region = textOf(first(document.provider?.aws)['region']);
  const defaultTags = first(first(first(document.provider?.aws)['default_tags'])['tags']);
  assert(region !== '', 'a document without a region in its provider');
  return Object.entries(document.resource ?? {}).flatMap(([type, named]) =>
    Object.entries(named).map(([name, values]) => ({
      module,
      address: `${type}.${name}`,
      type,
      region: textOf(values['region']) || region,
      environment: environmentOf({ ...defaultTags, ...first(values['tags']) }),
      values,
      references: referencesIn(JSON.stringify(values)),
    })),
  );
}

export function environmentOf(tags: unknown): string {
  return textOf(first(tags)['Environment']) || 'shared';
}

function referencesIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/\b(aws_\w+\.\w+)/g), ([, address]) => address!))];
}

/** A block, which Terraform writes as an object or as a list of one; empty where there is none. */
export function first(block: unknown): Values {
  return listOf(block)[0] ?? {};
}

/** Blocks of one kind, which may also be written as a single object. */
export function listOf(blocks: unknown): Values[] {
  const list: unknown[] = Array.isArray(blocks) ? blocks : [blocks];
  return list.filter((block): block is Values => typeof block === 'object' && block !== null);
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number, which Terraform may write as text; `otherwise` where it is missing or not known yet. */
export function numberOf(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}
