import * as fc from 'fast-check';
import { rootNode, type SchemaNode } from '../../src/model/config/describe.ts';
import { FARGATE_MEMORY_MB } from '../../src/model/config/fargate.ts';
import { LONGEST_NAME_PREFIX } from '../../src/model/config/name-prefix.ts';
import type { Config } from '../../src/model/config/schema.ts';
import { validateConfig } from '../../src/model/config/validate.ts';

/** What JSON Schema says of a place besides what the command line needs of it. */
interface Node extends SchemaNode {
  anyOf?: Node[];
  propertyNames?: Node;
  maxItems?: number;
}

type Fields = Record<string, unknown>;

/** Long enough to meet limits of names, short enough to read what fails. */
const LONGEST_TEXT = 40;
const LONGEST_LIST = 3;
const LARGEST_NUMBER = 1_000_000;

/** The parts of a pattern that match no text themselves, with one level of groups in them. */
const LOOKING_AROUND = /\(\?<?[=!](?:[^()]|\([^()]*\))*\)/g;

/** What the schema cannot say of one place alone: these go together, or must stay small for synthesis to be quick. */
const SPECIAL: Readonly<Record<string, (node: Node) => fc.Arbitrary<unknown>>> = {
  '.regions': node => fc.subarray(node.items!.enum!, { minLength: 1, maxLength: 2 }),
  '.service': node =>
    fc.tuple(object(node, '.service'), fargatePair, taskCounts).map(parts => Object.assign({}, ...parts)),
  '.aws.namePrefix': node =>
    fc.oneof(
      text(node).filter(made => made !== ''),
      fc.constantFrom('a1', 'x'.repeat(LONGEST_NAME_PREFIX)),
    ),
  '.pipeline.branch': () => fc.constantFrom('main', 'release/1.x', 'a+b_c@${d}'),
  '.domain': () => fc.constantFrom({}, { name: 'shop.example.com', zoneId: 'Z0123456789ABC' }),
  '.owner': () => fc.constantFrom('platform', 'Zoë = 1 + 1 @ home'),
  '.costCenter': () => fc.constantFrom('unassigned', 'a/b:c_d.e-f'),
};

const fargatePair = fc.constantFrom(
  ...[...FARGATE_MEMORY_MB].flatMap(([cpu, sizes]) => sizes.map(memoryMb => ({ cpu, memoryMb }))),
);

const taskCounts = fc
  .tuple(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 5 }))
  .map(([minimumCount, further, room]) => ({
    minimumCount,
    desiredCount: minimumCount + further,
    maximumCount: minimumCount + further + room,
  }));

/**
 * Any valid configuration, with every default filled in. What the schema says of single places makes the values; what
 * does not go together with the rest is then taken out by the faults that validation itself names, until there are none.
 */
export const anyConfiguration: fc.Arbitrary<Config> = object(rootNode as Node, '').map(made =>
  valid({ ...made, application: 'storefront', aws: { namePrefix: 'shop', ...(made['aws'] as Fields) } }),
);

function valid(input: Fields): Config {
  for (;;) {
    const { config, faults } = validateConfig(input);
    if (config) return config;
    const removed = faults.filter(({ path }) => remove(input, keysOf(path)));
    if (removed.length === 0) throw new Error(`no way to a valid configuration: ${JSON.stringify(faults)}`);
  }
}

/** Takes out what a path leads to, else the innermost section around it that is there; whether there was any. */
function remove(input: Fields, keys: readonly string[]): boolean {
  let owner = input;
  let last: { owner: Fields; key: string } | undefined;
  for (const key of keys) {
    if (typeof owner !== 'object' || owner === null || !Object.hasOwn(owner, key)) break;
    // A list without one of its entries is another list: it goes as a whole.
    if (!Array.isArray(owner)) last = { owner, key };
    owner = owner[key] as Fields;
  }
  // Gone already where two faults were about the same.
  return last !== undefined && delete last.owner[last.key];
}

/** `a.b[1]["c d"]` as keys. */
function keysOf(path: string): string[] {
  return [...path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|[^.[\]]+/g)].map(([key, quoted]) =>
    quoted === undefined ? key : (JSON.parse(quoted) as string),
  );
}

function valueOf(node: Node, path: string): fc.Arbitrary<unknown> {
  const special = SPECIAL[path];
  if (special) return special(node);
  if (node.anyOf) return fc.oneof(...node.anyOf.map(option => valueOf(option, path)));
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({
        min: node.minimum ?? 0,
        max: Math.min(node.maximum ?? LARGEST_NUMBER, LARGEST_NUMBER),
      });
    case 'number':
      return fc.double({
        min: node.minimum ?? node.exclusiveMinimum ?? 0,
        minExcluded: node.exclusiveMinimum !== undefined,
        max: Math.min(node.maximum ?? LARGEST_NUMBER, LARGEST_NUMBER),
        noNaN: true,
      });
    case 'string':
      return text(node);
    case 'array':
      return fc.uniqueArray(valueOf(node.items!, `${path}[]`), {
        minLength: node.minItems ?? 0,
        maxLength: Math.min(node.maxItems ?? LONGEST_LIST, LONGEST_LIST),
        comparator: 'SameValueZero',
      });
    case 'object':
      return node.properties ? object(node, path) : record(node, path);
    case undefined:
    default:
      throw new Error(`the schema has a kind of place at ${path} that this does not know: ${node.type}`);
  }
}

/** Some of the keys: the others keep their defaults. */
function object(node: Node, path: string): fc.Arbitrary<Fields> {
  const values = Object.entries(node.properties!).map(
    ([key, child]) => [key, valueOf(child, `${path}.${key}`)] as const,
  );
  return fc.record(Object.fromEntries(values), { requiredKeys: [] });
}

function record(node: Node, path: string): fc.Arbitrary<Fields> {
  const keys = node.propertyNames ? valueOf(node.propertyNames, `${path}.*`) : text({});
  return fc.dictionary(
    keys as fc.Arbitrary<string>,
    valueOf(node.additionalProperties as Node, `${path}.*`),
    {
      maxKeys: LONGEST_LIST,
      noNullPrototype: true,
    },
  );
}

function text(node: Node): fc.Arbitrary<string> {
  if (node.pattern !== undefined) {
    // It makes no text for what looks around: that sorts out afterwards.
    const whole = new RegExp(node.pattern);
    const form = new RegExp(node.pattern.replaceAll(LOOKING_AROUND, ''));
    return fc.stringMatching(form, { maxLength: LONGEST_TEXT }).filter(made => whole.test(made));
  }
  return fc.oneof(
    fc.string({ minLength: node.minLength ?? 0, maxLength: LONGEST_TEXT, unit: 'binary' }),
    fc.constantFrom('${aws_vpc.none.id}', '%{ if true }', '"quoted" \\ and\nbroken'),
  );
}
