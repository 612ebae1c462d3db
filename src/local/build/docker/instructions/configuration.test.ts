import { afterAll, beforeAll, expect, test } from 'vitest';
import { BuildFixture } from '../testing/build-fixture.ts';

let fixture: BuildFixture;
beforeAll(() => {
  fixture = new BuildFixture();
});
afterAll(() => fixture.remove());

/** The container configuration that instructions after `FROM scratch` give. */
async function configOf(instructions: string, buildArguments: Record<string, string> = {}) {
  const { image } = await fixture.build(`FROM scratch\n${instructions}\n`, { buildArguments });
  return image.config.config;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

test.each<[string, object]>([
  ['ENV A=1 B="two words" C=th\\ ree', { Env: [PATH, 'A=1', 'B=two words', 'C=th ree'] }],
  ['ENV A old form', { Env: [PATH, 'A=old form'] }],
  ['ENV A=1\nENV A=2 B=$A', { Env: [PATH, 'A=2', 'B=1'] }],
  ['ENV PATH=/app/bin:$PATH', { Env: [`PATH=/app/bin:${PATH.slice(5)}`] }],
  ['ENV P=${Q:-x} R=${PATH:+y}', { Env: [PATH, 'P=x', 'R=y'] }],
  ['LABEL a=1 "b c"="d e"\nLABEL a=2 __proto__=x', { Labels: { a: '2', 'b c': 'd e' } }],
  ['MAINTAINER Ada <ada@example.com>', { Labels: { maintainer: 'Ada <ada@example.com>' } }],
  [
    'EXPOSE 80 53/udp 8000-8002/TCP',
    { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
  ],
  ['ENV PORTS="1 2"\nEXPOSE $PORTS', { ExposedPorts: { '1/tcp': {}, '2/tcp': {} } }],
  ['VOLUME /a /b\nVOLUME ["/c d"]', { Volumes: { '/a': {}, '/b': {}, '/c d': {} } }],
  ['USER 1001:1002', { User: '1001:1002' }],
  ['USER node', { User: 'node' }],
  ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
  ['CMD ["a", "b c"]', { Cmd: ['a', 'b c'] }],
  ['CMD echo "$HOME"', { Cmd: ['/bin/sh', '-c', 'echo "$HOME"'] }],
  ['CMD ["not json\']', { Cmd: ['/bin/sh', '-c', '["not json\']'] }],
  [
    'SHELL ["/bin/bash", "-c"]\nENTRYPOINT exec x',
    { Shell: ['/bin/bash', '-c'], Entrypoint: ['/bin/bash', '-c', 'exec x'] },
  ],
  ['ENTRYPOINT ["a"]\nCMD ["b"]', { Entrypoint: ['a'], Cmd: ['b'] }],
  ['WORKDIR /a\nWORKDIR b/../c', { WorkingDir: '/a/c' }],
  ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
  [
    'HEALTHCHECK CMD curl localhost || exit 1',
    { Healthcheck: { Test: ['CMD-SHELL', 'curl localhost || exit 1'] } },
  ],
  [
    'HEALTHCHECK --interval=1m30s --timeout=0.5s --start-period=2s --start-interval=100ms --retries=4 CMD ["a"]',
    {
      Healthcheck: {
        Test: ['CMD', 'a'],
        Interval: 90e9,
        Timeout: 5e8,
        StartPeriod: 2e9,
        StartInterval: 1e8,
        Retries: 4,
      },
    },
  ],
])('%s', async (instructions, expected) => {
  expect(await configOf(instructions)).toMatchObject(expected);
});

test('an ENTRYPOINT clears the CMD of its base, not its own', async () => {
  const { image } = await fixture.build('FROM scratch AS base\nCMD ["old"]\nFROM base\nENTRYPOINT ["e"]');
  expect(image.config.config.Cmd).toBeUndefined();
});

test('arguments: global ones must be named, given ones win over defaults, ENV wins over both', async () => {
  const { image } = await fixture.build(
    'ARG GLOBAL=g\nFROM scratch\nENV BEFORE=${GLOBAL:-unset}\nARG GLOBAL\nARG OWN=default\nARG GIVEN=default\nARG TARGETARCH\nENV HIDDEN=env\nARG HIDDEN=arg\nENV ALL=$GLOBAL-$OWN-$GIVEN-$HIDDEN-$TARGETARCH',
    { buildArguments: { GIVEN: 'given', HIDDEN: 'given' }, platform: 'linux/arm64' },
  );
  expect(image.config.config.Env).toEqual([
    PATH,
    'BEFORE=unset',
    'HIDDEN=env',
    'ALL=g-default-given-env-arm64',
  ]);
  expect(image.config.architecture).toBe('arm64');
});

test.each([
  ['ENV A', 'ENV at Dockerfile:2: "A" needs a value'],
  ['ENV A=1 B', '"B" is not NAME=value'],
  ['ENV =1', 'has no name'],
  ['ENV A="open', 'before the closing "'],
  ['EXPOSE 70000', 'is not a port'],
  ['EXPOSE http', 'is not a port'],
  ['EXPOSE 9-8', 'is not a port'],
  ['SHELL /bin/sh -c', 'JSON form only'],
  ['STOPSIGNAL now!', 'is not a signal'],
  ['HEALTHCHECK curl', 'write HEALTHCHECK'],
  ['HEALTHCHECK --retries=0 CMD x', '--retries'],
  ['HEALTHCHECK --interval=fast CMD x', '--interval is a duration'],
  ['HEALTHCHECK --interval=1us CMD x', '1ms or more'],
  ['HEALTHCHECK --wibble=1 CMD x', 'unknown flag: --wibble'],
  ['HEALTHCHECK NONE x', 'takes nothing else'],
  ['WORKDIR $NOTHING', 'expands to nothing'],
])('%s is refused with its line: %s', async (instruction, problem) => {
  await expect(configOf(instruction)).rejects.toMatchObject({
    code: 'DOCKERFILE_INVALID',
    message: expect.stringContaining(problem),
  });
  await expect(configOf(instruction)).rejects.toThrow(/at Dockerfile:2: /);
});

test.each([
  ['ONBUILD RUN x', 'ONBUILD at Dockerfile:2 cannot be honoured without a container engine'],
  ['USER somebody', 'there is no user "somebody"'],
  ['USER 1001:somegroup', 'there is no group "somegroup"'],
])('%s cannot be honoured: %s', async (instruction, problem) => {
  await expect(configOf(instruction)).rejects.toMatchObject({
    code: 'DOCKERFILE_UNSUPPORTED',
    message: expect.stringContaining(problem),
  });
});

test('the image says what it is: its base, and that it holds no operating system', async () => {
  const { image } = await fixture.build('FROM node:24-alpine\nLABEL own=1', { labels: { given: '2' } });
  const annotations = {
    'dev.tandem.runtime': 'process',
    'org.opencontainers.image.base.name': 'docker.io/library/node:24-alpine',
  };
  expect(image.manifest.annotations).toEqual(annotations);
  expect(image.config.config.Labels).toEqual({ ...annotations, own: '1', given: '2' });
  expect(image.config).toMatchObject({ os: 'linux', created: '1970-01-01T00:00:00.000Z' });
  expect(image.config.rootfs.diff_ids).toEqual([]);
});

test.each([
  ['node:18', 'asks for Node.js 18'],
  ['example.com/some/thing:1', 'nothing is pulled'],
])('FROM %s warns: %s', async (base, warning) => {
  const { output } = await fixture.build(`FROM ${base}`);
  expect(output).toContain(`WARNING: FROM at Dockerfile:1: `);
  expect(output).toContain(warning);
});

test('a base whose language is not on this machine is refused with its line', async () => {
  await expect(fixture.build('FROM scratch\nFROM swift-nowhere\nFROM elixir:1.18')).rejects.toThrow(
    /^FROM at Dockerfile:3 cannot be honoured .* brings Elixir/,
  );
});
