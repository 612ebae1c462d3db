import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  parseSync,
  type Comment,
  type Directive,
  type Function as FunctionNode,
  type Statement,
  type TSInterfaceDeclaration,
  type TSType,
  type TSTypeAliasDeclaration,
} from 'oxc-parser';
import * as modules from '../src/aws/terraform/modules/index.ts';

/*
 * Writes docs/modules/<name>.md, a page for each module of `tandem/modules`, from their types, the comments there, and the
 * program in the modules' README, which a test runs: `npx node docs/generate-modules.ts`. A test compares what would be
 * written with what is there.
 */

const SOURCES = join(import.meta.dirname, '../src/aws/terraform/modules');

/** The pages, each with the exports that it is about. */
export const PAGES: Readonly<Record<string, readonly (keyof typeof modules)[]>> = {
  backend: ['backend'],
  vpc: ['vpc'],
  ecr: ['ecr', 'imageSupply'],
  ecs: ['ecs'],
  codecommit: ['codecommit', 'codeconnection'],
  codepipeline: ['codepipeline', 'codebuildProject'],
  monitoring: ['monitoring'],
  dns: ['dns', 'regionRecord', 'certificate'],
  'drift-check': ['driftCheck'],
  waf: ['waf'],
  secrets: ['secrets'],
  database: ['database'],
  replication: ['replication'],
  remediation: ['remediation'],
  compliance: ['compliance', 'auditTrail'],
  budget: ['budget'],
  'region-switch': ['regionSwitch'],
  'signing-key': ['signingKey'],
  parts: ['privateBucket', 'logGroup', 'serviceRole'],
};

/** A source file, parsed. */
interface Source {
  text: string;
  statements: (Statement | Directive)[];
  comments: Comment[];
  /** Where its local imports come from. */
  imports: Map<string, string>;
}

const parsed = new Map<string, Source>();

function sourceOf(file: string): Source {
  const known = parsed.get(file);
  if (known) return known;
  const source = parseText(file, readFileSync(join(SOURCES, file), 'utf8'));
  parsed.set(file, source);
  return source;
}

function parseText(file: string, text: string): Source {
  const { program, comments } = parseSync(file, text);
  const imports = new Map<string, string>();
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    for (const { local } of statement.specifiers) imports.set(local.name, statement.source.value);
  }
  return { text, statements: program.body, comments, imports };
}

interface Found {
  file: string;
  source: Source;
  declaration: Declaration;
  start: number;
}
type Declaration = FunctionNode | TSInterfaceDeclaration | TSTypeAliasDeclaration;

/** A function or a type by its name, in the file or where the file imports it from. */
function find(file: string, name: string): Found | undefined {
  const source = sourceOf(file);
  for (const statement of source.statements) {
    const inner = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    const isDeclaration =
      inner?.type === 'FunctionDeclaration' ||
      inner?.type === 'TSInterfaceDeclaration' ||
      inner?.type === 'TSTypeAliasDeclaration';
    if (isDeclaration && inner.id?.name === name) {
      return { file, source, declaration: inner, start: statement.start };
    }
  }
  const from = source.imports.get(name);
  return from?.startsWith('.') ? find(from.replace(/^\.\//, ''), name) : undefined;
}

/** The comment right before a place, as one text. */
function documentation({ text, comments }: Source, start: number): string {
  const comment = comments.find(
    ({ type, value, end }) =>
      type === 'Block' && value.startsWith('*') && end <= start && text.slice(end, start).trim() === '',
  );
  return (comment?.value ?? '')
    .replaceAll(/^\s*\*+ ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

interface Row {
  name: string;
  type: string;
  isOptional: boolean;
  meaning: string;
}

/** The properties of a type, those of its own types beneath their names. */
function rowsOf(file: string, type: TSType, prefix = ''): Row[] | undefined {
  const source = sourceOf(file);
  if (type.type === 'TSTypeLiteral') return type.members.flatMap(member => memberRows(file, member, prefix));
  if (type.type === 'TSIntersectionType') {
    const parts = type.types.map(part => rowsOf(file, part, prefix));
    return parts.every(part => part !== undefined) ? parts.flat() : undefined;
  }
  if (type.type === 'TSArrayType') return rowsOf(file, type.elementType, `${prefix}[]`);
  // `readonly …[]`
  if (type.type === 'TSTypeOperator') return rowsOf(file, type.typeAnnotation, prefix);
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return undefined;
  const found = find(file, type.typeName.name);
  if (found?.declaration.type === 'TSInterfaceDeclaration') {
    const { body, extends: bases } = found.declaration;
    const inherited = bases.flatMap(({ expression }) => {
      const base = find(found.file, found.source.text.slice(expression.start, expression.end));
      return base?.declaration.type === 'TSInterfaceDeclaration'
        ? base.declaration.body.body.flatMap(member => memberRows(base.file, member, prefix))
        : [];
    });
    return [...inherited, ...body.body.flatMap(member => memberRows(found.file, member, prefix))];
  }
  if (found?.declaration.type === 'TSTypeAliasDeclaration' && source.text !== '') {
    return rowsOf(found.file, found.declaration.typeAnnotation, prefix);
  }
  return undefined;
}

function memberRows(file: string, member: { type: string; start: number }, prefix: string): Row[] {
  const source = sourceOf(file);
  const signature = member as Extract<
    Extract<TSType, { type: 'TSTypeLiteral' }>['members'][number],
    { type: 'TSPropertySignature' }
  >;
  const written = source.text.slice(member.start, (member as unknown as { end: number }).end);
  if (member.type !== 'TSPropertySignature' || !signature.typeAnnotation) {
    return [
      {
        name: `${prefix}${written}`,
        type: 'function',
        isOptional: false,
        meaning: documentation(source, member.start),
      },
    ];
  }
  const type = signature.typeAnnotation.typeAnnotation;
  const key = source.text.slice(signature.key.start, signature.key.end);
  const name = prefix === '' ? key : `${prefix}.${key}`;
  const beneath = rowsOf(file, type, name);
  const row = {
    name,
    type: beneath ? (beneath[0]?.name.startsWith(`${name}[]`) ? 'list' : 'object') : typeText(file, type),
    isOptional: signature.optional,
    meaning: documentation(source, member.start),
  };
  return [row, ...(beneath ?? [])];
}

/** A type as written, or for a name of one's own, what it stands for. */
function typeText(file: string, type: TSType): string {
  const { text } = sourceOf(file);
  const written = text.slice(type.start, type.end);
  if (type.type === 'TSTypeReference' && type.typeName.type === 'Identifier') {
    const found = find(file, type.typeName.name);
    if (found?.declaration.type === 'TSTypeAliasDeclaration') {
      const { start, end } = found.declaration.typeAnnotation;
      return found.source.text.slice(start, end);
    }
  }
  return written;
}

function table(rows: readonly Row[], { isInput }: { isInput: boolean }): string {
  const cell = (text: string) =>
    text
      .replaceAll(/\/\*\*.*?\*\//gs, '')
      .replaceAll(/\s+/g, ' ')
      .replaceAll('|', '\\|')
      .trim();
  return [
    `| name | type |${isInput ? ' needed |' : ''} meaning |`,
    `| --- | --- |${isInput ? ' --- |' : ''} --- |`,
    ...rows.map(({ name, type, isOptional, meaning }) => {
      const needed = isInput ? ` ${isOptional ? '' : 'yes'} |` : '';
      return `| \`${cell(name)}\` | \`${cell(type)}\` |${needed} ${cell(meaning)} |`;
    }),
  ].join('\n');
}

/** The types of resources that a file makes, by what it and its neighbours import of the provider. */
function resourcesOf(file: string, seen = new Set<string>()): Set<string> {
  const made = new Set<string>();
  if (seen.has(file)) return made;
  seen.add(file);
  const { statements } = sourceOf(file);
  for (const statement of statements) {
    if (statement.type !== 'ImportDeclaration' || statement.importKind === 'type') continue;
    const [, service] =
      /^@cdktn\/provider-aws\/lib\/(?!data-|ephemeral-)([\w-]+)\//.exec(statement.source.value) ?? [];
    if (service) made.add(`aws_${service.replaceAll('-', '_')}`);
    if (statement.source.value.startsWith('./')) {
      for (const type of resourcesOf(statement.source.value.slice(2), seen)) made.add(type);
    }
  }
  return made;
}

const readme = readFileSync(join(SOURCES, 'README.md'), 'utf8');
const program = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!).join('\n');
const example = parseText('program.ts', program);

/** The statement of the README's program that calls it. */
export function exampleOf(call: string): string | undefined {
  const statement = example.statements.find(
    ({ type, start, end }) =>
      type !== 'ImportDeclaration' &&
      new RegExp(`(?<![\\w.])${call.replace('.', '\\.')}\\(`).test(program.slice(start, end)),
  );
  return statement && program.slice(statement.start, statement.end);
}

const everything: Readonly<Record<string, unknown>> = { ...modules };

/** The functions of an export: itself, or each that it holds. */
export function functionsOf(name: keyof typeof modules): { call: string; declared: string }[] {
  const exported: unknown = everything[name];
  if (typeof exported === 'function') return [{ call: name, declared: exported.name }];
  return Object.entries(exported as Record<string, { name: string }>).map(([key, { name: declared }]) => ({
    call: `${name}.${key}`,
    declared,
  }));
}

function section({ call, declared }: { call: string; declared: string }): string {
  const file = readdirSync(SOURCES).find(
    candidate =>
      candidate.endsWith('.ts') &&
      !candidate.endsWith('.test.ts') &&
      new RegExp(`^export function ${declared}\\(`, 'm').test(sourceOf(candidate).text),
  )!;
  const { declaration, source, start } = find(file, declared)!;
  if (declaration.type !== 'FunctionDeclaration') throw new Error(`${declared} is no function`);
  const parameters = declaration.params.map(parameter => source.text.slice(parameter.start, parameter.end));
  const input = declaration.params.at(-1);
  const inputType = input && 'typeAnnotation' in input ? input.typeAnnotation?.typeAnnotation : undefined;
  const inputs = (inputType && rowsOf(file, inputType)) ?? [];
  const returned = declaration.returnType?.typeAnnotation;
  const outputs = returned && rowsOf(file, returned);
  const isModule = parameters[0]?.startsWith('scope') ?? false;
  const resources = isModule ? [...resourcesOf(file)].toSorted().map(type => `\`${type}\``) : [];
  return [
    `## \`${call}\``,
    documentation(source, start),
    ...(resources.length > 0 ? [`Makes, or may make: ${resources.join(', ')}.`] : []),
    '```ts',
    exampleOf(call) ?? '',
    '```',
    ...(inputs.length > 0
      ? [isModule ? '**Input**, after the scope and the id:' : '**Input**', table(inputs, { isInput: true })]
      : [`**Input**: ${parameters.map(parameter => `\`${parameter}\``).join(', ')}.`]),
    ...(outputs
      ? ['**Output**', table(outputs, { isInput: false })]
      : [`**Output**: ${returned ? `\`${source.text.slice(returned.start, returned.end)}\`` : 'none'}.`]),
  ]
    .join('\n\n')
    .replaceAll(/```ts\n\n/g, '```ts\n')
    .replaceAll(/\n\n```\n/g, '\n```\n');
}

export function modulePage(page: string): string {
  return `# Module \`${page}\`

<!-- Written by docs/generate-modules.ts from src/aws/terraform/modules; edit those. -->

${(PAGES[page] ?? []).flatMap(functionsOf).map(section).join('\n\n')}

The example is part of [one program with every module in it](../../src/aws/terraform/modules/README.md), which begins with how \`stack\` is made. What is
not needed may be left out.
`;
}

if (import.meta.main) {
  for (const page of Object.keys(PAGES)) {
    writeFileSync(join(import.meta.dirname, 'modules', `${page}.md`), modulePage(page));
  }
}
