import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TandemError } from '../../../../core/error.ts';
import { BuildFixture } from '../testing/build-fixture.ts';

let fixture: BuildFixture;
beforeEach(() => {
  fixture = new BuildFixture({
    'a.txt': 'a',
    'b.txt': 'b',
    'package.json': '{}',
    'src/one.js': '1',
    'src/deep/two.js': '2',
  });
});
afterEach(() => fixture.remove());

/** Paths of the files (no folders) that a Dockerfile puts into its image, with their text. */
async function filesOf(dockerfile: string): Promise<Record<string, string>> {
  const { files } = await fixture.build(dockerfile);
  return Object.fromEntries(
    [...files].filter(([, { type }]) => type === 'file').map(([path, { text }]) => [path, text]),
  );
}

test.each<[string, Record<string, string>]>([
  ['COPY a.txt /', { 'a.txt': 'a' }],
  ['COPY a.txt /x', { x: 'a' }],
  ['COPY a.txt /x/', { 'x/a.txt': 'a' }],
  ['COPY ["a.txt", "/with blank/"]', { 'with blank/a.txt': 'a' }],
  ['COPY a.txt b.txt /x/', { 'x/a.txt': 'a', 'x/b.txt': 'b' }],
  ['COPY *.txt /x/', { 'x/a.txt': 'a', 'x/b.txt': 'b' }],
  ['COPY [ab].tx? /x/', { 'x/a.txt': 'a', 'x/b.txt': 'b' }],
  ['COPY package.json yarn.lock* /x/', { 'x/package.json': '{}' }],
  ['COPY src /x', { 'x/one.js': '1', 'x/deep/two.js': '2' }],
  ['COPY src/. /x', { 'x/one.js': '1', 'x/deep/two.js': '2' }],
  ['COPY src/*/two.js /x', { x: '2' }],
  ['COPY ./src/../a.txt /x', { x: 'a' }],
  ['COPY a.txt /x/y\nCOPY src /x', { 'x/y': 'a', 'x/one.js': '1', 'x/deep/two.js': '2' }],
  ['COPY src /x\nCOPY a.txt /x', { 'x/one.js': '1', 'x/deep/two.js': '2', 'x/a.txt': 'a' }],
  ['COPY a.txt /x\nCOPY b.txt /x', { x: 'b' }],
  ['WORKDIR /w\nCOPY a.txt .', { 'w/a.txt': 'a' }],
  ['WORKDIR /w\nCOPY a.txt sub/../y', { 'w/y': 'a' }],
  ['ARG F=a\nENV D=/d\nCOPY ${F}.txt $D/${F:+x}', { 'd/x': 'a' }],
  ['ADD a.txt /x', { x: 'a' }],
  ['COPY <<ONE <<"TWO" /x/\n$PATHS${A:-v} "q"\nONE\n$A\nTWO', { 'x/ONE': 'v "q"\n', 'x/TWO': '$A\n' }],
  ['COPY <<EOF /x\ntext\nEOF', { x: 'text\n' }],
])('%s', async (instructions, expected) => {
  expect(await filesOf(`FROM scratch\n${instructions}\n`)).toEqual(expected);
});

test('owners and modes: context files are root’s, and --chown and --chmod say otherwise', async () => {
  chmodSync(join(fixture.contextFolder, 'a.txt'), 0o750);
  const { files } = await fixture.build(
    'FROM scratch\nCOPY a.txt /plain\nCOPY --chown=1001 --chmod=0640 a.txt /own/\nCOPY --chown=node:33 a.txt /named',
  );
  expect(files.get('plain')).toMatchObject({ mode: 0o750, uid: 0, gid: 0 });
  expect(files.get('own')).toMatchObject({ type: 'directory', mode: 0o755, uid: 1001, gid: 1001 });
  expect(files.get('own/a.txt')).toMatchObject({ mode: 0o640, uid: 1001, gid: 1001 });
  expect(files.get('named')).toMatchObject({ uid: 1000, gid: 33 });
});

test('users of the image’s own /etc/passwd and /etc/group are known', async () => {
  fixture.write('etc/passwd', 'app:x:1234:1235::/:/bin/sh\n');
  fixture.write('etc/group', 'staff:x:77:\n');
  const { files } = await fixture.build(
    'FROM scratch\nCOPY etc /etc\nCOPY --chown=app a.txt /1\nCOPY --chown=app:staff a.txt /2',
  );
  expect(files.get('1')).toMatchObject({ uid: 1234, gid: 1235 });
  expect(files.get('2')).toMatchObject({ uid: 1234, gid: 77 });
});

test('COPY --from takes files of a stage by name or number, and keeps their owners', async () => {
  const { files, image } = await fixture.build(
    'FROM scratch AS one\nCOPY --chown=7:8 src /x\nFROM scratch\nCOPY --from=one /x/one.js /by-name\nCOPY --from=0 x/deep /by-number/\n',
  );
  expect(files.get('by-name')).toMatchObject({ text: '1', uid: 7, gid: 8 });
  expect(files.get('by-number/two.js')).toMatchObject({ text: '2', uid: 7, gid: 8 });
  expect([...files.keys()].some(path => path.startsWith('x'))).toBe(false);
  expect(image.manifest.layers).toHaveLength(2);
});

test('links within a copied folder stay links, a link given as source is followed', async () => {
  symlinkSync('one.js', join(fixture.contextFolder, 'src/link'));
  const { files } = await fixture.build('FROM scratch\nCOPY src /x\nCOPY src/link /y');
  expect(files.get('x/link')).toMatchObject({ type: 'symlink', target: 'one.js' });
  expect(files.get('y')).toMatchObject({ type: 'file', text: '1' });
});

test('a destination is followed through links of the image, within the image', async () => {
  mkdirSync(join(fixture.contextFolder, 'links'));
  symlinkSync('/real', join(fixture.contextFolder, 'links/absolute'));
  symlinkSync('../../../../real', join(fixture.contextFolder, 'links/climbing'));
  const files = await filesOf('FROM scratch\nCOPY links /\nCOPY a.txt /absolute/\nCOPY b.txt /climbing/');
  expect(files).toEqual({ 'real/a.txt': 'a', 'real/b.txt': 'b' });
});

test('.dockerignore keeps files out, and takes back with !', async () => {
  fixture.write('.dockerignore', '*\n!src\n**/deep\n!package.json');
  expect(await filesOf('FROM scratch\nCOPY . /')).toEqual({ 'package.json': '{}', 'src/one.js': '1' });
  await expect(filesOf('FROM scratch\nCOPY a.txt /')).rejects.toThrow('listed in .dockerignore');
});

test('no link of the context leads out of it', async () => {
  const secret = join(fixture.folder, 'secret');
  writeFileSync(secret, 'secret');
  symlinkSync(secret, join(fixture.contextFolder, 'absolute'));
  symlinkSync('../secret', join(fixture.contextFolder, 'climbing'));
  symlinkSync('..', join(fixture.contextFolder, 'parent'));
  symlinkSync('loop', join(fixture.contextFolder, 'loop'));
  for (const source of ['absolute', 'climbing', 'parent/secret', 'loop'])
    await expect(filesOf(`FROM scratch\nCOPY ${source} /x`)).rejects.toThrow(
      'was not found in the build context',
    );
  expect(await filesOf('FROM scratch\nCOPY par*/secret /x')).toEqual({});
  const { files } = await fixture.build('FROM scratch\nCOPY . /all');
  expect([...files.values()].map(({ text }) => text)).not.toContain('secret');
});

test.each([
  ['COPY ../x /', 'BUILD', 'forbidden path outside the build context: ../x'],
  ['COPY src/../../x /', 'BUILD', 'forbidden path outside the build context'],
  ['COPY nothing.txt /', 'BUILD_CONTEXT_INVALID', 'COPY at Dockerfile:2: "nothing.txt" was not found'],
  ['COPY a.txt', 'DOCKERFILE_INVALID', 'at least one source and a destination'],
  ['COPY a.txt b.txt /x', 'DOCKERFILE_INVALID', 'must be a folder'],
  ['COPY a.txt /x\nCOPY src /x', 'DOCKERFILE_INVALID', '/x is a file, not a folder'],
  [
    'COPY src /x/one.js\nCOPY src /y\nCOPY <<EOF /y/deep\nEOF\nCOPY src/deep /z\nCOPY a.txt /z/two.js/a',
    'DOCKERFILE_INVALID',
    '/z/two.js is a file',
  ],
  ['COPY --from=later a /', 'DOCKERFILE_UNSUPPORTED', 'names an image, and none is pulled'],
  ['COPY --from=3 a /', 'DOCKERFILE_INVALID', 'names no earlier stage'],
  ['COPY --chmod=u+x a.txt /', 'DOCKERFILE_INVALID', 'octal'],
  ['COPY --chown=who a.txt /', 'DOCKERFILE_UNSUPPORTED', 'there is no user "who"'],
  ['COPY --parents a.txt /', 'DOCKERFILE_UNSUPPORTED', '--parents'],
  ['COPY --wibble a.txt /', 'DOCKERFILE_INVALID', 'unknown flag: --wibble'],
  [
    'ADD https://example.com/x /',
    'DOCKERFILE_UNSUPPORTED',
    'ADD at Dockerfile:2 cannot be honoured without a container engine: https://example.com/x would be downloaded',
  ],
  ['ADD git@github.com:a/b.git /', 'DOCKERFILE_UNSUPPORTED', 'would be downloaded'],
  ['ADD --checksum=sha256:1 a.txt /', 'DOCKERFILE_UNSUPPORTED', '--checksum'],
])('%s is refused: %s %s', async (instructions, code, problem) => {
  const error = await fixture.build(`FROM scratch\n${instructions}`).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TandemError);
  expect((error as TandemError).message).toContain(problem);
  if (code !== 'BUILD') expect((error as TandemError).code).toBe(code);
});

test('ADD unpacks a local tar, gzipped or not, and takes any other file as it is', async () => {
  execFileSync('tar', [
    'cf',
    join(fixture.contextFolder, 'x.tar'),
    '-C',
    join(fixture.contextFolder, 'src'),
    '.',
  ]);
  execFileSync('tar', [
    'czf',
    join(fixture.contextFolder, 'any-name'),
    '-C',
    join(fixture.contextFolder, 'src'),
    '.',
  ]);
  writeFileSync(join(fixture.contextFolder, 'text.gz'), gzipSync('only text'));
  const { files } = await fixture.build(
    'FROM scratch\nADD x.tar /1\nADD any-name /2/\nADD text.gz /3\nCOPY x.tar /4',
  );
  expect(files.get('1/deep/two.js')?.text).toBe('2');
  expect(files.get('2/one.js')?.text).toBe('1');
  expect(files.get('3')?.type).toBe('file');
  expect(files.get('4')?.type).toBe('file');
});

test('ADD of an archive that climbs out is refused, and of one in bzip2', async () => {
  execFileSync('tar', [
    'cPf',
    join(fixture.contextFolder, 'evil.tar'),
    '--transform',
    's,^,../../,',
    '-C',
    fixture.contextFolder,
    'a.txt',
  ]);
  await expect(filesOf('FROM scratch\nADD evil.tar /x')).rejects.toMatchObject({ code: 'LAYER_REFUSED' });
  writeFileSync(join(fixture.contextFolder, 'x.tar.bz2'), 'BZh91AY&SY');
  await expect(filesOf('FROM scratch\nADD x.tar.bz2 /x')).rejects.toThrow('compressed with bzip2');
});

test('a copied folder arrives whole, whatever it holds', async () => {
  const name = fc.stringMatching(/^[\w é%~-]{1,8}$/).filter(text => text.trim() !== '');
  const tree = fc.dictionary(
    fc.tuple(name, name).map(parts => parts.join('/')),
    fc.string({ maxLength: 20 }),
    { minKeys: 1, maxKeys: 8 },
  );
  await fc.assert(
    fc.asyncProperty(tree, async wanted => {
      const one = new BuildFixture(
        Object.fromEntries(Object.entries(wanted).map(([path, text]) => [`in/${path}`, text])),
      );
      try {
        const { files } = await one.build(
          'FROM scratch AS a\nCOPY in /x\nFROM scratch\nCOPY --from=a /x /out/deep',
        );
        const found = [...files]
          .filter(([, { type }]) => type === 'file')
          .map(([path, { text }]) => [path.slice('out/deep/'.length), text]);
        expect(Object.fromEntries(found)).toEqual(wanted);
      } finally {
        one.remove();
      }
    }),
    { numRuns: 25 },
  );
});
