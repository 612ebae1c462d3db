/** A start or end tag; an empty element gives both. */
export type XmlTag =
  | { kind: 'open'; name: string; attributes: Readonly<Record<string, string>> }
  | { kind: 'close'; name: string };

/**
 * The tags of an XML document in order; comments, CDATA, declarations and text are passed over. Report files are all
 * that is read with it, so entities beyond the five of XML are left as they are and nothing is ever fetched. Names
 * lose their namespace prefix. Throws a SyntaxError where something is left open.
 */
export function* xmlTags(source: string): Generator<XmlTag> {
  const open: string[] = [];
  for (let at = source.indexOf('<'); at >= 0; at = source.indexOf('<', at)) {
    const special = SPECIAL.find(([begin]) => source.startsWith(begin, at));
    if (special !== undefined) {
      at = endOf(source, special[1], at);
      continue;
    }
    const end = endOfTag(source, at);
    const text = source.slice(at + 1, end - 1);
    at = end;
    if (text.startsWith('/')) {
      const name = localName(text.slice(1).trim());
      if (open.pop() !== name) throw new SyntaxError(`</${name}> closes nothing`);
      yield { kind: 'close', name };
      continue;
    }
    const isEmpty = text.endsWith('/');
    const name = localName(/^[^\s/]*/.exec(text)![0]);
    yield { kind: 'open', name, attributes: attributesOf(text) };
    if (isEmpty) yield { kind: 'close', name };
    else open.push(name);
  }
  if (open.length > 0) throw new SyntaxError(`<${open.at(-1)}> is not closed`);
}

const SPECIAL: readonly (readonly [begin: string, end: string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
];

function endOf(source: string, mark: string, from: number): number {
  const at = source.indexOf(mark, from);
  if (at < 0) throw new SyntaxError(`${mark} is missing`);
  return at + mark.length;
}

/** The place after the `>` that ends a tag, which may occur in its attributes' values. */
function endOfTag(source: string, from: number): number {
  let quoteMark = '';
  for (let at = from + 1; at < source.length; at++) {
    const character = source[at]!;
    if (quoteMark !== '') {
      if (character === quoteMark) quoteMark = '';
    } else if (character === '"' || character === "'") quoteMark = character;
    else if (character === '>') return at + 1;
  }
  throw new SyntaxError('a tag is not closed');
}

function attributesOf(tag: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, , quoted, single] of tag.matchAll(/([^\s=/]+)\s*=\s*("([^"]*)"|'([^']*)')/g)) {
    attributes[localName(name!)] = decode(quoted ?? single ?? '');
  }
  return attributes;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
};

function decode(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|apos|amp);/g, entity => ENTITIES[entity]!);
}
