import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TandemError } from '../../core/error.ts';
import type { Build } from '../../model/build.ts';
import { nodePath, processIdentity } from '../../platform/process.ts';
import { buildFixture, buildRequest, filesBelow, type BuildFixture } from './testing/build-fixture.ts';

const PUSH = `
      - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
      - printf '[{"name":"%s","imageUri":"%s"}]' $CONTAINER_NAME $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION > imagedefinitions.json`;

let fixture: BuildFixture;

beforeEach(async () => {
  fixture = await buildFixture();
});

afterEach(async () => {
  await fixture.close();
});

/** A buildspec whose post_build pushes an image, as every good one does. */
function buildspec(phases: string, sections = ''): string {
  return `version: 0.2\n${sections}\nphases:\n${phases}\n  post_build:\n    commands:${PUSH}\n`;
}

function phasesOf(build: Build): string {
  return build.phases.map(({ name, status }) => `${name} ${status}`).join(', ');
}

describe('a build that succeeds', () => {
  test('goes through every phase and names the digest of what it pushed', async () => {
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ echo hello ]');
    const build = await fixture.build();
    expect(build.cause).toBeUndefined();
    expect(build).toMatchObject({
      status: 'SUCCEEDED',
      number: 1,
      images: [
        {
          name: 'storefront',
          imageUri: `127.0.0.1:5000/storefront:${build.commit}`,
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        },
      ],
    });
    expect(phasesOf(build)).toBe(
      'SUBMITTED SUCCEEDED, QUEUED SUCCEEDED, PROVISIONING SUCCEEDED, DOWNLOAD_SOURCE SUCCEEDED, INSTALL SUCCEEDED, ' +
        'PRE_BUILD SUCCEEDED, BUILD SUCCEEDED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED, FINALIZING SUCCEEDED, COMPLETED SUCCEEDED',
    );
    for (const phase of build.phases) expect(phase.endedAt).toBeGreaterThanOrEqual(phase.startedAt);
    const log = fixture
      .log(build)
      .map(line => line.replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}/, 'TIME'));
    expect(log[0]).toBe('[Container] TIME image tools of the tests');
    expect(log).toContain(
      '[Container] TIME Source: commit 4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a "Change it" by Ada',
    );
    const begin = log.indexOf('[Container] TIME Entering phase BUILD');
    expect(log.slice(begin, begin + 5)).toEqual([
      '[Container] TIME Entering phase BUILD',
      '[Container] TIME Running command echo hello',
      'hello',
      '[Container] TIME Phase complete: BUILD State: SUCCEEDED',
      '[Container] TIME Phase context status code:  Message:',
    ]);
    expect(await filesBelow(join(fixture.context.folder, 'work'))).toEqual([]);
  });

  test('is started once per token, and numbers count up', async () => {
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ "true" ]');
    const request = buildRequest();
    const first = fixture.service.startBuild(request);
    expect(fixture.service.startBuild(request).id).toBe(first.id);
    const other = await fixture.build();
    expect(other.number).toBe(2);
    expect(fixture.service.startBuild(request).id).toBe(first.id);
  });

  test('has the variables of CodeBuild and of the pipeline, and none of the machine', async () => {
    process.env['TANDEM_TEST_TOKEN'] = 'secret';
    fixture.source['buildspec.yml'] = buildspec(
      '  build:\n    commands: [ env | sort, "command -v node", "stat -c %a $HOME" ]',
      'env:\n  variables: { FROM_BUILDSPEC: buildspec, REGION: overridden }',
    );
    const build = await fixture.build();
    delete process.env['TANDEM_TEST_TOKEN'];
    const variables = Object.fromEntries(
      fixture.output(build).map(line => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    );
    expect(variables).toMatchObject({
      APPLICATION: 'storefront',
      CONTAINER_NAME: 'storefront',
      REPOSITORY_URI: '127.0.0.1:5000/storefront',
      REGION: 'us-east-1',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      FROM_BUILDSPEC: 'buildspec',
      CODEBUILD_BUILD_ID: `storefront:${build.id}`,
      CODEBUILD_BUILD_ARN: `arn:aws:codebuild:us-east-1:000000000000:build/storefront:${build.id}`,
      CODEBUILD_BUILD_NUMBER: '1',
      CODEBUILD_BUILD_SUCCEEDING: '1',
      CODEBUILD_RESOLVED_SOURCE_VERSION: build.commit,
      CODEBUILD_SOURCE_VERSION: 'refs/heads/main',
      CODEBUILD_SOURCE_REPO_URL: 'http://127.0.0.1:5000/git/storefront.git',
      CODEBUILD_INITIATOR: 'codepipeline/storefront',
      CODEBUILD_START_TIME: String(build.startedAt),
      CODEBUILD_LOG_PATH: build.id,
      HOME: join(fixture.context.folder, 'work/1/home'),
      PWD: join(fixture.context.folder, 'work/1/src'),
    });
    expect(variables['TANDEM_TEST_TOKEN']).toBeUndefined();
    expect(variables['VITEST']).toBeUndefined();
    expect(variables['PATH']).not.toContain('node_modules/.bin');
  });

  test('exports the variables that the buildspec lists, as they are at the end', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      '  install:\n    commands: [ "export VERSION=1.2.3; PLAIN=not-exported", "export VERSION=1.2.4 EMPTY=" ]',
      'env:\n  variables: { COLOUR: "green and blue" }\n  exported-variables: [ VERSION, COLOUR, PLAIN, EMPTY, MISSING ]',
    );
    const build = await fixture.build();
    expect(build.exportedVariables).toEqual({ VERSION: '1.2.4', COLOUR: 'green and blue', EMPTY: '' });
  });

  test("project variables win over the buildspec's", async () => {
    await fixture.close();
    fixture = await buildFixture({
      config: { build: { environment: { LEVEL: 'project', TOKEN: 'plain' } } },
    });
    fixture.source['buildspec.yml'] = buildspec(
      '  build:\n    commands: [ echo $LEVEL $TOKEN ]',
      'env: { variables: { LEVEL: buildspec }, secrets-manager: { TOKEN: "app:token" } }',
    );
    const build = await fixture.build();
    expect(build.status).toBe('SUCCEEDED');
    expect(fixture.output(build)).toEqual(['project plain']);
  });
});

describe('a build that fails', () => {
  test('in install stops there, with the output that tells why', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      '  install:\n    commands:\n      - |\n        echo "Error: no network" >&2\n        exit 3\n    finally: [ echo finally ]\n  build:\n    commands: [ echo never ]',
    );
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(build.cause).toBe('echo "Error: no network" >&2 … failed (exit status 3): Error: no network');
    expect(phasesOf(build)).toMatch(
      /INSTALL FAILED, UPLOAD_ARTIFACTS SUCCEEDED, FINALIZING SUCCEEDED, COMPLETED FAILED$/,
    );
    expect(build.phases.find(({ name }) => name === 'INSTALL')?.context).toBe(
      'COMMAND_EXECUTION_ERROR: Error while executing command: echo "Error: no network" >&2 …. Reason: exit status 3',
    );
    expect(fixture.output(build)).toContain('finally');
    expect(fixture.output(build)).not.toContain('never');
  });

  test('in build still runs post_build, which is told', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      '  build:\n    commands: [ "mkdir sub; cd sub; export STEP=1; exit 1", echo never ]\n    finally: [ echo finally $CODEBUILD_BUILD_SUCCEEDING ]',
    ).replace(
      '    commands:\n      - docker',
      '    commands:\n      - echo $CODEBUILD_BUILD_SUCCEEDING $STEP ${PWD##*/}\n      - docker',
    );
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(fixture.output(build)).toEqual(['finally 0', '0 1 sub']);
    expect(phasesOf(build)).toContain('BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED');
    expect(build.images).toEqual([]);
  });

  test.each([
    ['ABORT in build ends the build', 'build', 'ABORT', ['pre_build', 'build']],
    [
      'CONTINUE in pre_build goes on, and the build has failed all the same',
      'pre_build',
      'CONTINUE',
      ['pre_build', 'build', 'post_build'],
    ],
    ['RETRY-1 runs the phase twice', 'pre_build', 'RETRY-1', ['pre_build', 'pre_build']],
    ['RETRY with another error ends at once', 'pre_build', 'RETRY-timed out', ['pre_build']],
    ['RETRY with the error in the output', 'pre_build', 'RETRY-1-flaky \\w+', ['pre_build', 'pre_build']],
  ])('%s', async (_name, phase, onFailure, expected) => {
    const phases = ['pre_build', 'build', 'post_build'].map(
      name =>
        `  ${name}:\n${name === phase ? `    on-failure: '${onFailure}'\n` : ''}    commands: [ 'echo ran ${name}'${name === phase ? ", 'echo flaky network; false'" : ''} ]`,
    );
    fixture.source['buildspec.yml'] = `version: 0.2\nphases:\n${phases.join('\n')}\n`;
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(build.cause).toBe('echo flaky network; false failed (exit status 1): flaky network');
    const ran = fixture.output(build).flatMap(line => /^ran (\w+)$/.exec(line)?.[1] ?? []);
    expect(ran).toEqual(expected);
  });

  test('once and then passes by RETRY has succeeded', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      '  build:\n    on-failure: RETRY\n    commands: [ "[ -e tried ] || { touch tried; exit 1; }", echo $CODEBUILD_BUILD_SUCCEEDING ]',
    );
    const build = await fixture.build();
    expect(build.status).toBe('SUCCEEDED');
  });

  test('by a command of finally alone has failed', async () => {
    fixture.source['buildspec.yml'] = buildspec(
      '  build:\n    commands: [ "true" ]\n    finally: [ "false" ]',
    );
    const build = await fixture.build();
    expect(build).toMatchObject({ status: 'FAILED', cause: 'false failed (exit status 1)' });
  });

  test.each([
    [
      'without a buildspec',
      {},
      'BUILDSPEC_MISSING',
      'the commit has no buildspec.yml: add one, or name another file as build.buildspec in tandem.config.ts',
    ],
    [
      'with an immense one',
      { 'buildspec.yml': `version: 0.2\n${'# no end\n'.repeat(30_000)}` },
      'BUILDSPEC_INVALID',
      'buildspec.yml is larger than 262144 bytes: that is no buildspec',
    ],
    [
      'with a faulty one',
      { 'buildspec.yml': 'version: 0.2\nphase: {}\n' },
      'BUILDSPEC_INVALID',
      'buildspec.yml:1: phases: found nothing; allowed: a mapping with install, pre_build, build, post_build (and 1 more, see the build log)',
    ],
    [
      'with a secret',
      { 'buildspec.yml': 'version: 0.2\nphases: {}\nenv: { parameter-store: { PASSWORD: /app/db } }\n' },
      'SECRET_UNAVAILABLE',
      'env.parameter-store.PASSWORD (/app/db)',
    ],
    [
      'with an unknown user',
      { 'buildspec.yml': 'version: 0.2\nphases: {}\nrun-as: nobody-of-this-name\n' },
      'RUN_AS_UNAVAILABLE',
      'there is no such user',
    ],
  ])('%s', async (_name, files, code, cause) => {
    Object.assign(fixture.source, files);
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(build.cause).toContain(cause);
    const phase = build.phases.find(({ name }) => name === 'DOWNLOAD_SOURCE');
    expect(phase).toMatchObject({ status: 'FAILED', context: expect.stringMatching(`^${code}: `) });
    expect(phasesOf(build)).toMatch(/DOWNLOAD_SOURCE FAILED, FINALIZING SUCCEEDED, COMPLETED FAILED$/);
  });

  test.each([
    ['missing', '"true"', 'IMAGE_DEFINITIONS_MISSING', 'the build wrote no imagedefinitions.json'],
    [
      'not JSON',
      'echo x > imagedefinitions.json',
      'IMAGE_DEFINITIONS_INVALID',
      'imagedefinitions.json is not JSON: x',
    ],
    [
      'without an end',
      'ln -s /dev/zero imagedefinitions.json',
      'IMAGE_DEFINITIONS_INVALID',
      'imagedefinitions.json is not a regular file',
    ],
    [
      'naming an image that was not pushed',
      `'echo "[{\\"name\\":\\"web\\",\\"imageUri\\":\\"$REPOSITORY_URI:v1\\"}]" > imagedefinitions.json'`,
      'IMAGE_NOT_PUSHED',
      '127.0.0.1:5000/storefront:v1, but the registry of us-east-1 has no such image',
    ],
    [
      "naming another registry's image",
      `'echo "[{\\"name\\":\\"web\\",\\"imageUri\\":\\"docker.io/library/web:v1\\"}]" > imagedefinitions.json'`,
      'IMAGE_NOT_LOCAL',
      'docker.io/library/web:v1, which is not in the registry of us-east-1',
    ],
  ])('with imagedefinitions.json %s', async (_name, command, code, cause) => {
    fixture.source['buildspec.yml'] = `version: 0.2\nphases:\n  build:\n    commands: [ ${command} ]\n`;
    const build = await fixture.build();
    expect(build.status).toBe('FAILED');
    expect(build.cause).toContain(cause);
    expect(build.phases.find(({ name }) => name === 'UPLOAD_ARTIFACTS')?.context).toMatch(`${code}: `);
  });
});

describe('ending a build', () => {
  const LEAVES_PROCESSES = buildspec(`  build:
    commands:
      - |
        setsid sh -c 'echo started $$; sleep 1000' &
        sleep 1000`);

  async function startedBuild(): Promise<{ id: string; left: number }> {
    fixture.source['buildspec.yml'] = LEAVES_PROCESSES;
    const { id } = fixture.service.startBuild(buildRequest());
    for await (const event of fixture.context.logs.read({ stream: id, follow: true })) {
      const left = /^started (\d+)$/.exec(event.message)?.[1];
      if (left !== undefined) return { id, left: Number(left) };
    }
    throw new Error('the log ended');
  }

  test('by hand: STOPPED, and everything it started is gone', async () => {
    const { id, left } = await startedBuild();
    expect(processIdentity(left)).toBeDefined();
    fixture.service.stopBuild(id);
    const build = await fixture.waitFor(id, ({ status }) => status === 'STOPPED');
    expect(processIdentity(left)).toBeUndefined();
    expect(build.cause).toBe('the build was stopped');
    expect(phasesOf(build)).toMatch(/BUILD STOPPED, FINALIZING SUCCEEDED, COMPLETED STOPPED$/);
    expect(existsSync(join(fixture.context.folder, 'work/1'))).toBe(false);
  });

  test('at its time limit: TIMED_OUT', async () => {
    await fixture.close();
    fixture = await buildFixture({ buildTimeoutMs: 300 });
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ "sleep 1000 & sleep 1000" ]');
    const build = await fixture.build();
    expect(build.status).toBe('TIMED_OUT');
    expect(build.cause).toBe('the build ran longer than 300 ms (build.timeoutMinutes)');
  });

  test('in the queue: it never runs', async () => {
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ "mkfifo fifo; cat fifo" ]');
    const builds = [1, 2, 3].map(() => fixture.service.startBuild(buildRequest()));
    const running = builds.slice(0, 2);
    await Promise.all(
      running.map(({ id }) => fixture.waitFor(id, ({ phases }) => phases.at(-1)!.name === 'BUILD')),
    );
    expect(fixture.service.build(builds[2]!.id)?.phases.at(-1)).toMatchObject({
      name: 'QUEUED',
      status: 'IN_PROGRESS',
    });
    fixture.service.stopBuild(builds[2]!.id);
    expect(phasesOf(fixture.service.build(builds[2]!.id)!)).toBe(
      'SUBMITTED SUCCEEDED, QUEUED STOPPED, COMPLETED STOPPED',
    );
    const fourth = fixture.service.startBuild(buildRequest());
    fixture.service.stopBuild(builds[0]!.id);
    await fixture.waitFor(fourth.id, ({ phases }) => phases.at(-1)!.name === 'BUILD');
  });

  test('when the region is stopped: FAULT, and the queue goes on after the next start', async () => {
    const running = await startedBuild();
    const other = fixture.service.startBuild(buildRequest());
    const queued = fixture.service.startBuild(buildRequest());
    await fixture.waitFor(other.id, ({ phases }) => phases.at(-1)!.name === 'BUILD');
    await fixture.service.stop();
    expect(processIdentity(running.left)).toBeUndefined();
    expect(fixture.service.build(running.id)).toMatchObject({
      status: 'FAULT',
      cause: 'interrupted: the region was stopped while the build ran',
    });
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ "true" ]');
    await fixture.service.start();
    expect(await fixture.waitFor(queued.id, ({ status }) => status !== 'IN_PROGRESS')).toMatchObject({
      status: 'SUCCEEDED',
    });
  });

  test('when the region died: what it left is ended at the next start, and it is a FAULT', async () => {
    await fixture.service.stop();
    const folder = dirname(dirname(fixture.context.folder));
    const script = join(import.meta.dirname, 'testing/region-process.ts');
    const region = spawn(nodePath, [script, folder, LEAVES_PROCESSES], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [told] = (await once(region.stdout, 'data')) as [Buffer];
    const [, id, left] = /^(\S+) started (\d+)/.exec(told.toString())!;
    region.kill('SIGKILL');
    await once(region, 'exit');
    expect(processIdentity(Number(left))).toBeDefined();
    const ended = fixture.waitFor(id!, ({ status }) => status === 'FAULT');
    await fixture.service.start();
    expect(processIdentity(Number(left))).toBeUndefined();
    expect((await ended).cause).toBe('interrupted: the region died while the build ran');
    fixture.source['buildspec.yml'] = buildspec('  build:\n    commands: [ "true" ]');
    expect(await fixture.build()).toMatchObject({ status: 'SUCCEEDED', number: 2 });
  });
});

describe('where the parts around it fail', () => {
  test('a commit that cannot be checked out fails in DOWNLOAD_SOURCE', async () => {
    await fixture.close();
    fixture = await buildFixture({
      dependencies: {
        repository: {
          commit: id => Promise.reject(new TandemError('COMMIT_UNKNOWN', `there is no commit ${id}`)),
          checkout: id => Promise.reject(new TandemError('COMMIT_UNKNOWN', `there is no commit ${id}`)),
        },
      },
    });
    const build = await fixture.build({ commit: 'abc' });
    expect(build).toMatchObject({ status: 'FAILED', cause: 'there is no commit abc' });
    expect(phasesOf(build)).toContain('DOWNLOAD_SOURCE FAILED');
  });

  test('image tools that cannot be made are a FAULT of PROVISIONING', async () => {
    await fixture.close();
    fixture = await buildFixture({
      dependencies: { prepareImageTools: () => Promise.reject(new Error('no space left on device')) },
    });
    const build = await fixture.build();
    expect(build).toMatchObject({ status: 'FAULT', cause: 'no space left on device' });
    expect(phasesOf(build)).toMatch(/PROVISIONING FAULT, FINALIZING SUCCEEDED, COMPLETED FAULT$/);
  });

  test('a build that is stopped during its checkout waits for it, then leaves nothing', async () => {
    await fixture.close();
    const checkout = Promise.withResolvers<string>();
    const finish = Promise.withResolvers<void>();
    fixture = await buildFixture({
      dependencies: {
        repository: {
          commit: () => new Promise(() => undefined),
          async checkout(_id, folder) {
            checkout.resolve(folder);
            await finish.promise;
            writeFileSync(join(folder, 'late'), '');
          },
        },
      },
    });
    const { id } = fixture.service.startBuild(buildRequest());
    const folder = await checkout.promise;
    await fixture.waitFor(id, ({ phases }) => phases.at(-1)!.name === 'DOWNLOAD_SOURCE');
    fixture.service.stopBuild(id);
    await fixture.waitFor(id, ({ phases }) => phases.at(-1)!.name === 'FINALIZING');
    finish.resolve();
    expect(await fixture.waitFor(id, ({ status }) => status === 'STOPPED')).toMatchObject({ images: [] });
    expect(existsSync(dirname(folder))).toBe(false);
  });
});

test('a process that is left in the background does not outlive the build', async () => {
  fixture.source['buildspec.yml'] = buildspec(
    '  build:\n    commands: [ "sleep 1000 & echo $!", "nohup setsid sleep 1000 >/dev/null 2>&1 & echo $!" ]',
  );
  const build = await fixture.build();
  expect(build.status).toBe('SUCCEEDED');
  expect(fixture.output(build).map(line => processIdentity(Number(line)))).toEqual([undefined, undefined]);
});

test('much output comes out whole and in order', async () => {
  fixture.source['buildspec.yml'] = buildspec(
    '  build:\n    commands: [ "seq 1 60000", "printf \'\\\\377\\\\n\'" ]',
  );
  const build = await fixture.build();
  const output = fixture.output(build);
  expect(output).toHaveLength(60_001);
  expect(output[59_999]).toBe('60000');
  expect(output[60_000]).toBe('\ufffd');
});

test('commands of a buildspec may run in bash', async () => {
  fixture.source['buildspec.yml'] = buildspec(
    '  build:\n    commands: [ "list=(a b c)", \'echo "${list[1]}" "${BASH_VERSION:+bash}"\' ]',
    'env: { shell: bash }',
  );
  const build = await fixture.build();
  expect(fixture.output(build)).toEqual(['b bash']);
});
