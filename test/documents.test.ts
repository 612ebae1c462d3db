import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command } from '../src/cli/command.ts';
import { loadCommands } from '../src/cli/commands/index.ts';
import { ENVIRONMENT_KEYS, PIPELINE_KEYS, SERVICE_KEYS } from '../src/cli/copilot/manifest-keys.ts';

const ROOT = resolve(import.meta.dirname, '..');
const documents = [
  'README.md',
  ...markdownBelow('docs'),
  ...markdownBelow('src'),
  ...markdownBelow('examples'),
];
const commands = await loadCommands();

describe('what the documents tell people to type', () => {
  const written = documents.flatMap(document =>
    commandLinesIn(read(document)).map(line => ({ document, line })),
  );

  test('is looked at', () => {
    expect(written.length).toBeGreaterThan(40);
  });

  test('is known to the command line, by name and by every option', () => {
    const faults = written.flatMap(({ document, line }) =>
      faultsOf(line).map(fault => `${document}: ${line}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  test.each([
    ['tandem launch', 'no command launch'],
    ['tandem up --detatch', 'no option --detatch'],
    ['tandem up -x', 'no option -x'],
    ['tandem status one', 'takes no argument'],
    ['tandem up --region us-east-1', 'no option --region'],
    ['tandem init --from kamal', '--from takes copilot'],
  ])('a slip such as %s is found', (line, fault) => {
    expect(faultsOf(line)).toContain(fault);
  });
});

test('the README lists every command', () => {
  const text = read('README.md');
  expect(commands.map(({ name }) => name).filter(name => !text.includes(`\`tandem ${name}\``))).toEqual([]);
});

test('every permission that steering on AWS asks for has its place in the table of who needs which', () => {
  const folder = resolve(ROOT, 'src/aws/operate/cloud');
  const source = readdirSync(folder)
    .filter(name => name.endsWith('.ts'))
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const asked = [...source.matchAll(/'([a-z-]+:[A-Z]\w+)'/g)].map(([, permission]) => permission!);
  const text = read('docs/permissions.md');
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter(permission => !text.includes(`\`${permission}\``))).toEqual([]);
});

test('every call that looks for taken names and quotas has its permission in the table', () => {
  const folder = resolve(ROOT, 'src/aws/operate');
  const source = [
    'quotas.ts',
    'quota-counts.ts',
    ...readdirSync(join(folder, 'taken-names')).map(name => `taken-names/${name}`),
  ]
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const calls = new Set(
    Array.from(source.matchAll(/new (\w+)Command\(|paginate(\w+)\(/g), ([, one, all]) => (one ?? all)!),
  );
  expect(calls.size).toBeGreaterThan(35);
  // These two have permissions of other names, and who one is may always be asked.
  const renamed = new Map([
    ['HeadBucket', 's3:ListBucket'],
    ['DescribeBudget', 'budgets:ViewBudget'],
    ['GetCallerIdentity', 'sts:GetCallerIdentity'],
  ]);
  const text = read('docs/permissions.md');
  expect([...calls].filter(call => !text.includes(renamed.get(call) ?? `:${call}\``))).toEqual([]);
});

test('every relative link of a document leads to a file, and every heading that it names is there', () => {
  const broken = documents.flatMap(document =>
    linksIn(read(document))
      .filter(link => !isThere(document, link))
      .map(link => `${document}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('every key of a Copilot manifest that is known has its place in the table for those who come from there', () => {
  const text = read('docs/coming-from-copilot.md');
  const keys = [...SERVICE_KEYS, ...ENVIRONMENT_KEYS, ...PIPELINE_KEYS].map(({ key }) => key);
  const sections = keys.filter(key => !text.includes(`\`${key}\``) && !isBelowOne(key, text));
  expect(sections).toEqual([]);
});

/** `count.range.min` needs no row where `count.range` has one. */
function isBelowOne(key: string, text: string): boolean {
  const above = key.split('.').slice(0, -1).join('.');
  return above !== '' && (text.includes(`\`${above}\``) || isBelowOne(above, text));
}

/** Command lines in fenced blocks, and in code within a sentence, each part of a chain by itself. */
function commandLinesIn(text: string): string[] {
  const fenced = [...text.matchAll(/^```(?:sh|bash|console)?\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.split('\n'),
  );
  const inline = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`(tandem [^`\n]+)`/g)].map(
    ([, code]) => code!,
  );
  return [...fenced, ...inline]
    .flatMap(line => line.split(/&&|\||;/))
    .map(part =>
      part
        .replace(/\s#.*$/, '')
        .replace(/^\s*\$?\s*(npx )?/, '')
        .trim(),
    )
    .filter(part => part.startsWith('tandem '));
}

function faultsOf(line: string): string[] {
  const [, name, ...words] = line.match(/"[^"]*"|'[^']*'|\S+/g)!;
  if (name === 'help' || name!.startsWith('-')) return [];
  const command = commands.find(other => other.name === name);
  if (!command) return /^[a-z-]+$/.test(name!) ? [`no command ${name}`] : [];
  const faults: string[] = [];
  let places = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith('-')) {
      places += 1;
      continue;
    }
    const option = optionsOf(command).find(({ flags }) => flags.split(/[ ,]+/).includes(word));
    if (!option) faults.push(`no option ${word}`);
    else if (/[<[]/.test(option.flags)) {
      const value = words[++index];
      const isAllowed = option.choices?.includes(value!) ?? true;
      if (!isAllowed) faults.push(`${word} takes ${option.choices!.join(' or ')}`);
    }
  }
  const allowed = command.arguments?.length ?? 0;
  if (places > allowed) faults.push(allowed === 0 ? 'takes no argument' : `takes ${allowed} argument`);
  return faults;
}

function optionsOf(command: Command<never>): { flags: string; choices?: readonly string[] }[] {
  return [
    ...(command.options ?? []),
    ...(command.takesRegion ? [{ flags: '--region <name>' }] : []),
    { flags: '--target <cloud>', choices: ['local', ...(command.isForAws ? ['aws'] : [])] },
    { flags: '--config <file>' },
    { flags: '--data-dir <folder>' },
    { flags: '--json' },
    { flags: '-h, --help' },
  ];
}

function linksIn(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter(link => !/^[a-z]+:/.test(link));
}

function isThere(document: string, link: string): boolean {
  const [path, heading] = link.split('#');
  const target = path === '' ? join(ROOT, document) : resolve(ROOT, dirname(document), path!);
  if (!existsSync(target)) return false;
  return heading === undefined || headingsOf(readFileSync(target, 'utf8')).includes(heading);
}

/** As GitHub makes anchors of headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.md') && !path.includes('node_modules'))
    .map(path => relative(ROOT, join(ROOT, folder, path)));
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}
