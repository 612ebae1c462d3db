import { expect, test } from 'vitest';
import { TandemError } from '../../../core/error.ts';
import { parseBuildspec } from './parse.ts';

test('reads every section, all scalars as they are written', () => {
  const buildspec = parseBuildspec(
    `
version: 0.2
run-as: builder
env:
  shell: bash
  variables:
    RATE: 1.10
    DEBUG: yes
    EMPTY:
  parameter-store: { PASSWORD: /app/password }
  secrets-manager: { TOKEN: "app:token:AWSCURRENT" }
  exported-variables: [ RATE, RESULT ]
  git-credential-helper: no
proxy: { upload-artifacts: no, logs: no }
phases:
  install:
    runtime-versions: { nodejs: 24 }
  build:
    on-failure: RETRY-2-timed? out
    run-as: other
    commands:
      - npm test
      - |
        echo one
        echo two
    finally: [ echo done ]
reports:
  unit: { files: [ "**/*.xml" ], file-format: junitxml, base-directory: out, discard-paths: yes }
artifacts:
  files: imagedefinitions.json
  exclude-paths: [ "*.map" ]
  secondary-artifacts:
    site: { files: [ "**/*" ], base-directory: dist, enable-symlinks: yes, s3-prefix: web, name: site }
cache:
  key: npm-$(codebuild-hash-files package-lock.json)
  fallback-keys: [ npm- ]
  action: restore
  paths: [ "node_modules/**/*" ]
`,
    'buildspec.yml',
  );
  expect(buildspec.env.variables).toEqual({ RATE: '1.10', DEBUG: 'yes', EMPTY: '' });
  expect(buildspec.phases.install?.['runtime-versions']).toEqual({ nodejs: '24' });
  expect(buildspec.phases.build?.commands).toEqual(['npm test', 'echo one\necho two\n']);
  expect(buildspec.phases.build?.['on-failure']).toEqual({
    kind: 'retry',
    attempts: 2,
    matching: /timed? out/,
  });
  expect(buildspec.reports['unit']).toMatchObject({ 'file-format': 'JUNITXML', 'discard-paths': true });
  expect(buildspec.artifacts?.files).toEqual(['imagedefinitions.json']);
  expect(buildspec.artifacts?.['secondary-artifacts']?.['site']?.['enable-symlinks']).toBe(true);
  expect(buildspec.cache?.action).toBe('restore');
});

test('tells every fault at once, each with line, key, what was found and what is allowed', () => {
  const source = `version: 0.1
env:
  shell: powershell
  variables:
    CODEBUILD_X: 1
phases:
  build:
    comands:
      - npm test
    on-failure: IGNORE
    commands:
      - echo status: fine
reports:
  unit:
    files: a.xml
    file-format: TAP
artifacts:
  discard-paths: maybe
batch:
  fast-fail: true
`;
  expect(faultsOf(source)).toEqual([
    'buildspec.yml:1: version: found "0.1"; allowed: 0.2',
    'buildspec.yml:3: env.shell: found "powershell"; allowed: bash or /bin/sh',
    'buildspec.yml:5: env.variables.CODEBUILD_X: found the name CODEBUILD_X; allowed: a name that does not begin with CODEBUILD_, which is reserved',
    'buildspec.yml:8: phases.build.comands: found a key that does not exist; allowed: run-as, on-failure, commands, finally (did you mean commands?)',
    'buildspec.yml:10: phases.build.on-failure: found "IGNORE"; allowed: ABORT, CONTINUE, RETRY, RETRY-<count from 0 to 100>, RETRY-<regular expression> or RETRY-<count>-<regular expression>',
    'buildspec.yml:12: phases.build.commands[0]: found the mapping {"echo status":"fine"}; allowed: a command (quote one that contains ": ")',
    'buildspec.yml:16: reports.unit.file-format: found "TAP"; allowed: JUNITXML, CUCUMBERJSON, NUNITXML, NUNIT3XML, TESTNGXML, VISUALSTUDIOTRX, CLOVERXML, COBERTURAXML, JACOCOXML, SIMPLECOV',
    'buildspec.yml:18: artifacts.discard-paths: found "maybe"; allowed: yes or no',
    'buildspec.yml:19: batch: found the mapping {"fast-fail":"true"}; allowed: no batch section, since a build here is one build: remove it, or name a buildspec without it as build.buildspec in tandem.config.ts',
  ]);
});

test('names a missing key by the line of the section that lacks it', () => {
  expect(faultsOf('version: 0.2\n\nartifacts:\n  name: x\n')).toEqual([
    'buildspec.yml:1: phases: found nothing; allowed: a mapping with install, pre_build, build, post_build',
    'buildspec.yml:3: artifacts.files: found nothing; allowed: a list of paths or patterns (or secondary-artifacts)',
  ]);
});

test('tells where text is no YAML, and a key given twice', () => {
  expect(faultsOf('version: 0.2\nphases:\n\tbuild:\n')[0]).toMatch(/^buildspec\.yml:3: found .*tab/i);
  expect(faultsOf('version: 0.2\nphases: {}\nversion: 0.2\n')[0]).toMatch(
    /^buildspec\.yml:3: found .*unique/,
  );
  expect(faultsOf('')).toEqual([
    'buildspec.yml:1: found nothing; allowed: a mapping with version, run-as, env, proxy, batch, phases, reports, artifacts, cache',
  ]);
  expect(faultsOf('- a\n')[0]).toContain('found the list ["a"]');
});

test.each([
  ['"npm test', 5, '"'],
  ["'npm test", 5, "'"],
  ["npm test\n      - 'it''s", 6, "'"],
  ['"{ a: }"\n      - [ "x", "y ]', 6, '"'],
])('tells where a quote begins that is never closed: %s', (command, line, quote) => {
  const source = `version: 0.2\nphases:\n  build:\n    commands:\n      - ${command}\n      - npm start\n\n      - echo done\n`;
  expect(faultsOf(source)[0]).toBe(
    `buildspec.yml:${line}: found a ${quote} that nothing closes; allowed: YAML, spaces for indentation, each key once`,
  );
});

test('refuses aliases that multiply into more than memory holds', () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const items =
      level === 0
        ? 'x, x, x'
        : Array(9)
            .fill(`*l${level - 1}`)
            .join(', ');
    return `  l${level}: &l${level} [${items}]`;
  });
  expect(faultsOf(`version: 0.2\nphases:\n${levels.join('\n')}\n`)[0]).toContain('alias');
});

test('refuses more report groups and fallback keys than CodeBuild takes', () => {
  const reports = Array.from({ length: 6 }, (_, index) => `  group${index}: { files: a.xml }`).join('\n');
  const source = `version: 0.2\nphases: {}\nreports:\n${reports}\ncache:\n  paths: [a]\n  fallback-keys: [a, b, c, d, e, f]\n`;
  expect(faultsOf(source)).toEqual([
    expect.stringContaining('buildspec.yml:3: reports:'),
    expect.stringContaining('cache.fallback-keys: found the list'),
  ]);
});

function faultsOf(source: string): string[] {
  try {
    parseBuildspec(source, 'buildspec.yml');
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BUILDSPEC_INVALID') return error.message.split('\n');
    throw error;
  }
  throw new Error('the buildspec was taken as valid');
}

test('a line may have many pairs, and not many levels', () => {
  const pairs = Array.from({ length: 100 }, (_, number) => `V${number}: x`).join(', ');
  const buildspec = parseBuildspec(
    `version: 0.2\nenv: { variables: { ${pairs} } }\nphases: { build: { commands: [x] } }\n`,
    'buildspec.yml',
  );
  expect(Object.keys(buildspec.env?.variables ?? {})).toHaveLength(100);
  for (const deep of ['- '.repeat(40), '['.repeat(40)]) {
    expect(() => parseBuildspec(`version: 0.2\nphases:\n  ${deep}x\n`, 'buildspec.yml')).toThrow(
      'buildspec.yml:3: found values that nest deeper',
    );
  }
});
