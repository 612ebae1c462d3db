import { chmodSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Build } from '../../model/build.ts';
import { limitCompiledCode } from './compiled-code.ts';
import { buildFixture, filesBelow, type BuildFixture } from './testing/build-fixture.ts';

/** What a build takes in and leaves besides its status: artifacts, reports, caches. */
let fixture: BuildFixture;

beforeEach(async () => {
  fixture = await buildFixture();
});

afterEach(async () => {
  await fixture.close();
});

const IMAGE = `docker push $REPOSITORY_URI:v1; echo "[{\\"name\\":\\"web\\",\\"imageUri\\":\\"$REPOSITORY_URI:v1\\"}]" > imagedefinitions.json`;

function buildspec(commands: string[], sections: string): string {
  const listed = [...commands, IMAGE].map(command => `      - ${JSON.stringify(command)}\n`).join('');
  return `version: 0.2\nphases:\n  build:\n    commands:\n${listed}${sections}`;
}

function artifactsOf(build: Build): string {
  return join(fixture.context.folder, 'artifacts', build.id);
}

describe('artifacts', () => {
  test('are laid down as in the bucket: prefix, name, paths', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      [
        'mkdir -p dist/js; touch dist/index.html dist/js/app.js dist/js/app.js.map; ln -s index.html dist/link',
        'export FOLDER=dist',
      ],
      `artifacts:
  files: [ imagedefinitions.json, dist/**/* ]
  exclude-paths: [ "**/*.map" ]
  secondary-artifacts:
    site:
      base-directory: $FOLDER
      files: [ "**/*" ]
      s3-prefix: web
      name: site-$(echo 1)-$CODEBUILD_BUILD_NUMBER
      enable-symlinks: yes
    flat: { base-directory: "d*", files: [ "**/*.js" ], discard-paths: yes }
`,
    );
    const build = await fixture.build();
    expect(build.cause).toBeUndefined();
    expect(await filesBelow(artifactsOf(build))).toEqual([
      'primary/dist/index.html',
      'primary/dist/js/app.js',
      'primary/dist/link',
      'primary/imagedefinitions.json',
      'secondary/flat/app.js',
      'secondary/site/web/site-1-1/index.html',
      'secondary/site/web/site-1-1/js/app.js',
      'secondary/site/web/site-1-1/js/app.js.map',
      'secondary/site/web/site-1-1/link',
    ]);
    expect(build.images).toHaveLength(1);
  });

  test('that are not there fail the build, but do not hide an earlier failure', async () => {
    fixture.source['buildspec.yml'] = buildspec([], 'artifacts: { files: [ missing.txt ] }\n');
    const build = await fixture.build();
    expect(build).toMatchObject({
      status: 'FAILED',
      cause: expect.stringMatching(/^no matching artifact paths found for \[missing.txt\] in \./),
    });
    fixture.source['buildspec.yml'] = buildspec(['false'], 'artifacts: { files: [ missing.txt ] }\n');
    expect((await fixture.build()).cause).toBe('false failed (exit status 1)');
  });

  test.each(['{ files: [ ../../secret ] }', '{ files: [ a ], base-directory: / }'])(
    '%s is refused',
    async artifacts => {
      fixture.source['buildspec.yml'] = buildspec([], `artifacts: ${artifacts}\n`);
      const build = await fixture.build();
      expect(build.phases.find(({ name }) => name === 'UPLOAD_ARTIFACTS')?.context).toMatch(
        /^PATH_OUTSIDE_SOURCE: /,
      );
    },
  );

  test('of a name that climbs stay in their place', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      [],
      'artifacts: { files: [ imagedefinitions.json ], name: ../../../up, s3-prefix: /abs }\n',
    );
    const build = await fixture.build();
    expect(await filesBelow(artifactsOf(build))).toEqual(['primary/abs/up/imagedefinitions.json']);
    expect(build.status).toBe('SUCCEEDED');
  });
});

describe('reports', () => {
  test('are counted, even of a build that failed, and their files kept', async () => {
    fixture.source['out/a.xml'] = '<testsuite><testcase/><testcase><failure/></testcase></testsuite>';
    fixture.source['out/deep/b.xml'] = '<testsuite><testcase><skipped/></testcase></testsuite>';
    fixture.source['coverage.xml'] = '<coverage line-rate="0.5"></coverage>';
    fixture.source['broken.xml'] = '<testsuite>';
    fixture.source['buildspec.yml'] = buildspec(
      ['false'],
      `reports:
  unit: { files: [ "**/*.xml" ], base-directory: out }
  coverage: { files: coverage.xml, file-format: CoberturaXml }
  broken: { files: broken.xml }
  missing: { files: missing.xml }
`,
    );
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(build.reports).toEqual([
      { group: 'unit', total: 3, passed: 1, failed: 1, skipped: 1 },
      { group: 'broken', total: 0, passed: 0, failed: 0, skipped: 0 },
    ]);
    expect(await filesBelow(artifactsOf(build))).toEqual([
      'reports/broken/broken.xml',
      'reports/coverage/coverage.xml',
      'reports/unit/a.xml',
      'reports/unit/deep/b.xml',
    ]);
    const log = fixture.log(build).join('\n');
    expect(log).toContain('Report unit: 3 tests, 1 passed, 1 failed, 1 skipped');
    expect(log).toContain('Report coverage: coverage.xml covers 50.0 % of lines');
    expect(log).toContain('Report broken: broken.xml is not JUNITXML: <testsuite> is not closed');
    expect(log).toContain('Report missing: no file matches [missing.xml]');
  });
});

describe('caches', () => {
  const REMEMBER =
    'ls deps $HOME/.m2 2>/dev/null; mkdir -p deps $HOME/.m2; echo $CODEBUILD_BUILD_NUMBER > deps/$CODEBUILD_BUILD_NUMBER; touch $HOME/.m2/jar';

  test('without a key are replaced by each build that succeeds', async () => {
    const cache = 'cache: { paths: [ "deps/**/*", "/root/.m2/**/*", /etc/passwd ] }\n';
    fixture.source['buildspec.yml'] = buildspec([REMEMBER], cache);
    expect(fixture.output(await fixture.build())).toEqual([]);
    fixture.source['buildspec.yml'] = buildspec([REMEMBER, 'false'], cache);
    await fixture.build();
    fixture.source['buildspec.yml'] = buildspec([REMEMBER], cache);
    const third = await fixture.build();
    expect(fixture.output(third).filter(line => /^\d|jar/.test(line))).toEqual(['jar', '1']);
    expect(fixture.log(third).join('\n')).toContain(
      'lies outside of the source folder and HOME: /etc/passwd',
    );
    const fourth = await fixture.build();
    expect(fixture.output(fourth).filter(line => /^\d|jar/.test(line))).toEqual(['jar', '1', '3']);
  });

  test('with a key are found by it or by the beginning of one, and never change', async () => {
    const section = (more = '') =>
      `cache:\n  key: npm-$APPLICATION-$(codebuild-hash-files lock*.json)\n  fallback-keys: npm-$APPLICATION-\n  paths: deps\n${more}`;
    const keyOf = (build: Build, word: string) =>
      fixture.log(build).flatMap(line => new RegExp(`${word} .*with key (\\S+)`).exec(line)?.[1] ?? [])[0];
    fixture.source['buildspec.yml'] = buildspec([REMEMBER], section());
    fixture.source['lock.json'] = '{"a":1}';
    const first = await fixture.build();
    expect(keyOf(first, 'Saved')).toMatch(/^npm-storefront-[0-9a-f]{64}$/);
    const second = await fixture.build();
    expect(keyOf(second, 'Restored')).toBe(keyOf(first, 'Saved'));
    expect(keyOf(second, 'Saved')).toBeUndefined();
    fixture.source['lock.json'] = '{"a":2}';
    const third = await fixture.build();
    expect(keyOf(third, 'Restored')).toBe(keyOf(first, 'Saved'));
    expect(keyOf(third, 'Saved')).not.toBe(keyOf(first, 'Saved'));
    expect(fixture.output(third).filter(line => /^\d/.test(line))).toEqual(['1']);
    fixture.source['buildspec.yml'] = buildspec([REMEMBER], section('  action: save\n'));
    expect(keyOf(await fixture.build(), 'Restored')).toBeUndefined();
  });

  test("do not overwrite the commit's own files", async () => {
    fixture.source['buildspec.yml'] = buildspec(
      ['cat deps/own', 'echo changed > deps/own'],
      'cache: { paths: deps }\n',
    );
    fixture.source['deps/own'] = 'original\n';
    await fixture.build();
    expect(fixture.output(await fixture.build())).toEqual(['original']);
  });
});

test.skipIf(process.getuid?.() !== 0)('run-as runs a phase as another user', async () => {
  const folder = dirname(dirname(fixture.context.folder));
  chmodSync(folder, 0o755);
  fixture.source['buildspec.yml'] = `version: 0.2
phases:
  install: { commands: [ "id -un; KEPT=1; export KEPT; chmod a+w ." ] }
  build: { run-as: nobody, commands: [ "id -un; echo $KEPT; echo nobody > who" ] }
  post_build: { commands: [ "id -un", ${JSON.stringify(IMAGE)} ] }
`;
  const build = await fixture.build();
  expect(fixture.output(build)).toEqual(['root', 'nobody', '1', 'root']);
  expect(build.status).toBe('SUCCEEDED');
});

test("npm's registries reach a build, the user's credentials do not", async () => {
  const home = process.env['HOME'];
  process.env['HOME'] = fixture.context.folder;
  const { writeFileSync } = await import('node:fs');
  writeFileSync(
    join(fixture.context.folder, '.npmrc'),
    'registry=http://127.0.0.1:4873/\n//127.0.0.1:4873/:_authToken=secret\n@ours:registry = http://127.0.0.1:4874/\n_password=x\n',
  );
  fixture.source['buildspec.yml'] = buildspec(
    ['cat $HOME/.npmrc; cp $HOME/.npmrc kept'],
    'artifacts: { files: kept }\n',
  );
  const build = await fixture.build();
  process.env['HOME'] = home;
  expect(readFileSync(join(artifactsOf(build), 'primary/kept'), 'utf8')).toBe(
    'registry=http://127.0.0.1:4873/\n@ours:registry = http://127.0.0.1:4874/\n',
  );
});

test('artifacts of the newest builds are kept, older ones go', async () => {
  fixture.source['buildspec.yml'] = buildspec([], 'artifacts: { files: imagedefinitions.json }\n');
  const first = await fixture.build();
  for (let count = 0; count < 20; count++) await fixture.build();
  const last = await fixture.build();
  await fixture.service.stop();
  expect(await filesBelow(artifactsOf(first))).toEqual([]);
  expect(await filesBelow(artifactsOf(last))).toEqual(['primary/imagedefinitions.json']);
});

test('what Node.js programs compiled is kept from build to build', async () => {
  const kept = '"$TMPDIR/node-compile-cache/kept"';
  fixture.source['buildspec.yml'] = buildspec([`cat ${kept} || echo nothing; echo compiled > ${kept}`], '');
  const told = async () => fixture.output(await fixture.build()).at(-1);
  expect(await told()).toBe('nothing');
  expect(await told()).toBe('compiled');
});

test('of what Node.js programs compiled no more is kept than has its use', async () => {
  const { folder } = fixture.context;
  const kept = join(folder, 'node-compile-cache');
  mkdirSync(kept);
  writeFileSync(join(kept, 'code'), '');
  await limitCompiledCode(folder);
  expect(existsSync(kept)).toBe(true);
  truncateSync(join(kept, 'code'), 200 * 1_024 * 1_024);
  await limitCompiledCode(folder);
  expect(existsSync(kept)).toBe(false);
});
