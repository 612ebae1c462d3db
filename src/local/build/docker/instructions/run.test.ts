import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BuildFixture } from '../testing/build-fixture.ts';

let fixture: BuildFixture;
beforeEach(() => {
  fixture = new BuildFixture({ 'package.json': '{"name":"x"}', 'src/index.js': 'console.log("built")' });
});
afterEach(() => {
  vi.unstubAllEnvs();
  fixture.remove();
});

/** A machine without `unshare`: RUN is a plain process. */
function withoutRootView(): void {
  const programs = join(fixture.folder, 'programs');
  mkdirSync(programs);
  for (const program of [
    'cat',
    'cp',
    'head',
    'id',
    'ls',
    'mkdir',
    'mv',
    'rm',
    'sleep',
    'touch',
    'chmod',
    'env',
  ]) {
    const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(programs, program));
  }
  vi.stubEnv('PATH', programs);
}

/** Whether this machine lets a process have a mount namespace with overlays: tried, not guessed. */
const hasRootView = await (async () => {
  const probe = new BuildFixture();
  try {
    await probe.build('FROM scratch\nRUN test -e /usr/bin/env');
    return true;
  } catch {
    return false;
  } finally {
    probe.remove();
  }
})();

describe.each([
  ['with a view of its own', hasRootView],
  ['as a plain process', true],
])('RUN %s', (mode, possible) => {
  beforeEach(context => {
    if (!possible) context.skip('this machine allows no mount namespaces');
    if (mode === 'as a plain process') withoutRootView();
  });

  test('adds what it made, changed and removed as one layer', async () => {
    const { files, image } = await fixture.build(
      'FROM scratch\nWORKDIR /app\nCOPY . .\nRUN echo more >> package.json && rm -r src && mkdir -p out/deep && echo y > out/deep/y && chmod 750 out/deep/y',
    );
    expect(Object.fromEntries([...files].map(([path, { text }]) => [path, text]))).toEqual({
      app: '',
      'app/out': '',
      'app/out/deep': '',
      'app/out/deep/y': 'y\n',
      'app/package.json': '{"name":"x"}more\n',
    });
    expect(files.get('app/out/deep/y')?.mode).toBe(0o750);
    expect(image.manifest.layers).toHaveLength(3);
    expect(image.config.history.at(-1)?.created_by).toContain('RUN /bin/sh -c echo more');
  });

  test('makes no layer where it changes nothing', async () => {
    const { image } = await fixture.build('FROM scratch\nRUN true');
    expect(image.manifest.layers).toHaveLength(0);
    expect(image.config.history).toMatchObject([{ empty_layer: true }]);
  });

  test('runs in WORKDIR with the image’s environment, its arguments and this machine’s Node.js', async () => {
    const { files } = await fixture.build(
      'FROM scratch\nARG GIVEN=1\nARG SHADOWED=arg\nENV SHADOWED=env EMPTY=\nWORKDIR /w\nRUN node -e \'console.log(process.version, process.env.GIVEN, process.env.SHADOWED, process.env.EMPTY, process.env.SECRET_OF_THE_MACHINE, require("path").basename(process.cwd()))\' > out',
      { buildArguments: { GIVEN: '2' } },
    );
    expect(files.get('w/out')?.text).toBe(`${process.version} 2 env  undefined w\n`);
  });

  test('takes the exec form, another SHELL, and here-documents', async () => {
    const { files } = await fixture.build(
      'FROM scratch\nWORKDIR /w\nRUN ["node", "-e", "fs.writeFileSync(\'exec\', process.argv[1])", "$HOME"]\nSHELL ["node", "-e"]\nRUN fs.writeFileSync("shell", "1")\nSHELL ["/bin/sh", "-c"]\nRUN <<EOF\necho one > first\necho two > second\nEOF\nRUN cat <<A > third && cat <<"B" > fourth\n$((1 + 1))\nA\n$x\nB\n',
    );
    const texts = ['exec', 'shell', 'first', 'second', 'third', 'fourth'].map(
      name => files.get(`w/${name}`)?.text,
    );
    expect(texts).toEqual(['$HOME', '1', 'one\n', 'two\n', '2\n', '$x\n']);
  });

  test('files that it makes belong to USER', async () => {
    const { files } = await fixture.build(
      'FROM scratch\nWORKDIR /w\nCOPY package.json .\nUSER 1001:1002\nRUN touch mine && echo >> package.json',
    );
    expect(files.get('w/mine')).toMatchObject({ uid: 1001, gid: 1002 });
    expect(files.get('w/package.json')).toMatchObject({ uid: 0, gid: 0 });
  });

  test('its failure ends the build and names the line', async () => {
    await expect(fixture.build('FROM scratch\n\nRUN echo said && exit 7')).rejects.toMatchObject({
      code: 'IMAGE_BUILD_FAILED',
      message: expect.stringMatching(/"\/bin\/sh -c echo said && exit 7" \(Dockerfile:3\) .* exit code: 7/),
    });
  });

  test('is cached by what went in, and not with useCache false', async () => {
    const dockerfile = 'FROM scratch\nWORKDIR /w\nCOPY package.json .\nRUN node -p "Math.random()" > random';
    const random = async (options = {}) =>
      (await fixture.build(dockerfile, options)).files.get('w/random')?.text;
    const first = await random();
    expect(await random()).toBe(first);
    expect(await random({ useCache: false })).not.toBe(first);
    fixture.write('package.json', '{}');
    expect(await random()).not.toBe(first);
  });

  test('keeps a cache folder between builds and out of the image', async () => {
    const dockerfile =
      'FROM scratch\nARG N\nRUN --mount=type=cache,target=/root/.cache cd && echo $N >> .cache/log && cat .cache/log > seen';
    await fixture.build(dockerfile, { buildArguments: { N: '1' } });
    const { files } = await fixture.build(dockerfile, { buildArguments: { N: '2' } });
    expect(files.get('root/seen')?.text).toBe('1\n2\n');
    expect([...files.keys()]).toEqual(['root', 'root/seen']);
  });

  test('ends with every process that it started, when it ends and when the build is told to stop', async () => {
    await using listener = await listen();
    const connect = `node -e 'require("net").connect(${listener.port}, "127.0.0.1").on("data", () => {})'`;
    const stop = new AbortController();
    const building = fixture.build(`FROM scratch\nRUN ${connect} & ${connect} & ${connect}`, {
      signal: stop.signal,
    });
    const connected = await listener.connections(3);
    const closed = connected.map(socket => once(socket, 'close'));
    stop.abort(new Error('told to stop'));
    await expect(building).rejects.toThrow('told to stop');
    await Promise.all(closed);

    // A server left in the background does not hold the build up, nor outlive it.
    const ready = listener.connections(1);
    await fixture.build(
      `FROM scratch\nRUN ${connect} & until test -e ready; do node -e 'setTimeout(() => fs.writeFileSync("ready", ""), 200)'; done`,
    );
    const [left] = await ready;
    if (!left!.destroyed) await once(left!, 'close');
  });
});

describe.runIf(hasRootView)('RUN with a view of its own', () => {
  test('sees the image at its absolute paths, over this machine’s files', async () => {
    const { files } = await fixture.build(
      'FROM scratch\nWORKDIR /usr/src/app\nCOPY . .\nRUN mkdir /data && cat /usr/src/app/package.json > /data/copy && ls /usr/bin/env && ln -s /usr/src/app /link',
    );
    expect(files.get('data/copy')?.text).toBe('{"name":"x"}');
    expect(files.get('link')).toMatchObject({ type: 'symlink', target: '/usr/src/app' });
    expect([...files.keys()].filter(path => path.startsWith('usr/')).sort()).toEqual([
      'usr/src',
      'usr/src/app',
      'usr/src/app/package.json',
      'usr/src/app/src',
      'usr/src/app/src/index.js',
    ]);
  });

  test.runIf(process.getuid?.() === 0)(
    'changes nothing of this machine, and no changed copy of its files gets into the image',
    async () => {
      const here = mkdtempSync('/var/tmp/tandem-');
      try {
        writeFileSync(join(here, 'file'), 'the machine’s');
        const { files, output } = await fixture.build(
          `FROM scratch\nRUN echo changed > ${here}/file && rm -rf ${here}/../tandem-nothing && echo new > ${here}/new`,
        );
        expect(readFileSync(join(here, 'file'), 'utf8')).toBe('the machine’s');
        expect(files.has(`${here.slice(1)}/file`)).toBe(false);
        expect(files.get(`${here.slice(1)}/new`)?.text).toBe('new\n');
        expect(output).toContain(
          `left out of the image, being changed copies of this machine's own files: ${here}/file`,
        );
      } finally {
        rmSync(here, { recursive: true });
      }
    },
  );

  test.runIf(process.getuid?.() === 0)('may not change what belongs to the base', async () => {
    const before = readFileSync('/etc/passwd', 'utf8');
    await expect(fixture.build('FROM scratch\nRUN echo x >> /etc/passwd')).rejects.toThrow(
      /^RUN at Dockerfile:2 cannot be honoured .* it changed \/etc\/passwd/,
    );
    expect(readFileSync('/etc/passwd', 'utf8')).toBe(before);
    const { image } = await fixture.build('FROM scratch\nRUN rm -rf /usr/share/doc/bash /etc/hostname');
    expect(image.manifest.layers).toHaveLength(0);
  });

  test.runIf(process.getuid?.() === 0)('may give files away', async () => {
    const { files } = await fixture.build(
      'FROM scratch\nWORKDIR /w\nCOPY . .\nRUN chown -R 1001:1002 /w/src',
    );
    expect(files.get('w/src/index.js')).toMatchObject({ uid: 1001, gid: 1002 });
    expect(files.get('w/package.json')).toMatchObject({ uid: 0, gid: 0 });
  });

  test('has bind mounts of the context and of a stage, as copies, and tmpfs', async () => {
    fixture.write('.dockerignore', 'src/secret');
    fixture.write('src/secret', 'secret');
    const { files } = await fixture.build(
      'FROM scratch AS one\nCOPY package.json /\nFROM scratch\nWORKDIR /w\nRUN --mount=type=bind,target=/c --mount=type=bind,from=one,source=package.json,target=p.json --mount=type=tmpfs,target=/t cat p.json > copy; ls /c/src > list; echo x > /c/src/index.js; touch /t/x',
    );
    expect(files.get('w/copy')?.text).toBe('{"name":"x"}');
    expect(files.get('w/list')?.text).toBe('index.js\n');
    expect([...files.keys()]).toEqual(['w', 'w/copy', 'w/list']);
    expect(readFileSync(join(fixture.contextFolder, 'src/index.js'), 'utf8')).toBe('console.log("built")');
  });

  test('a mount’s target is followed through links of the image, never of this machine', async () => {
    const here = mkdtempSync(join(tmpdir(), 'tandem-target-'));
    try {
      symlinkSync(here, join(fixture.contextFolder, 'link'));
      await fixture.build(
        'FROM scratch\nCOPY . /\nRUN --mount=type=cache,target=/link/deep touch /link/deep/x',
      );
      expect(spawnSync('ls', ['-A', here], { encoding: 'utf8' }).stdout).toBe('');
    } finally {
      rmSync(here, { recursive: true });
    }
  });
});

describe('RUN as a plain process', () => {
  beforeEach(withoutRootView);

  test.each([
    ['cat /app/x', '/app/x is a path of the image'],
    ['echo x >/etc/motd', '/etc/motd'],
    ['rm -rf "/var/cache"', '/var/cache'],
    ['rm -rf //var', '//var'],
    ['cp a /', '/ is a path'],
    ['tar -C=/opt x', '/opt'],
    ['rm -rf $APP/x', '$APP (/app)'],
    ['rm -rf ${APP:-x}', '$APP (/app)'],
    ['rm -rf ../../x', '.. leads out'],
    ['cd .. && cd .. && rm -rf x', '.. leads out'],
    ['cd ~ && rm -rf x', '~ is a folder'],
    ['cat <<EOF\n/etc/passwd\nEOF', '/etc/passwd'],
  ])('%s is refused: %s', async (command, problem) => {
    await expect(
      fixture.build(`FROM scratch\nENV APP=/app\nWORKDIR /app\nRUN ${command}`),
    ).rejects.toMatchObject({
      code: 'DOCKERFILE_UNSUPPORTED',
      message: expect.stringMatching(/^RUN at Dockerfile:4 cannot be honoured without a container engine: /),
    });
    await expect(fixture.build(`FROM scratch\nENV APP=/app\nWORKDIR /app\nRUN ${command}`)).rejects.toThrow(
      problem,
    );
  });

  test.each([
    'echo https://example.com/x a/b ./c',
    'true > /dev/null 2>&1',
    'cd .. && true',
    '<<EOF\n# /etc is in a comment\ntrue\nEOF',
  ])('%s is run', async command => {
    await expect(fixture.build(`FROM scratch\nWORKDIR /app\nRUN ${command}`)).resolves.toBeDefined();
  });
});

test.each([
  [
    'apt-get update && apt-get install -y curl',
    'apt-get: it would install packages into this machine. Start Docker or Podman and push again.',
  ],
  ['set -ex; apk add --no-cache curl', 'apk: it would install packages'],
  ['if true; then yum install x; fi', 'yum: it would install packages'],
  ['DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get install x', 'apt-get'],
  ['addgroup -S app && adduser -S app', "addgroup: it would change this machine's users. Leave the line out"],
  ['systemctl enable x', 'systemctl'],
  ['sudo true', 'sudo'],
  ['["apt-get", "update"]', 'apt-get'],
  ['<<EOF\napt-get update\nEOF', 'apt-get'],
])('RUN %s is refused before anything runs: %s', async (command, problem) => {
  const ran = fixture.build(`FROM scratch\nRUN echo ran > /dev/stderr\nRUN ${command}`);
  await expect(ran).rejects.toThrow(/^RUN at Dockerfile:3 cannot be honoured without a container engine: /);
  await expect(ran).rejects.toMatchObject({
    code: 'DOCKERFILE_UNSUPPORTED',
    message: expect.stringContaining(problem),
  });
});

test.each([
  ['--mount=type=secret,id=x true', 'DOCKERFILE_UNSUPPORTED', '--mount=type=secret'],
  ['--mount=type=cache true', 'DOCKERFILE_INVALID', 'needs a target'],
  ['--mount=type=cache,target=/x,sharing=locked true', 'DOCKERFILE_UNSUPPORTED', 'sharing=locked'],
  ['--mount=type=bind,source=nothing,target=/x true', 'BUILD_CONTEXT_INVALID', '"nothing" was not found'],
  ['--network=none true', 'DOCKERFILE_UNSUPPORTED', '--network=none'],
  ['--security=insecure true', 'DOCKERFILE_UNSUPPORTED', '--security'],
  ['[]', 'DOCKERFILE_INVALID', 'runs nothing'],
])('RUN %s is refused: %s %s', async (command, code, problem) => {
  await expect(fixture.build(`FROM scratch\nRUN ${command}`)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(problem),
  });
});

test('folders that a RUN closed are removed after the build all the same', async () => {
  await fixture.build('FROM scratch\nRUN mkdir -p a/b && touch a/b/c && chmod 500 a/b a');
  expect(spawnSync('ls', ['-A', join(fixture.buildFolder, 'work')], { encoding: 'utf8' }).stdout).toBe('');
  chmodSync(fixture.buildFolder, 0o755);
});

/** A server that hands out its connections: a process that holds one tells of its end by closing it. */
async function listen() {
  const waiting: Socket[] = [];
  const server = createServer(socket => {
    socket.on('error', () => undefined);
    socket.resume();
    waiting.push(socket);
    server.emit('arrived');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async connections(count: number): Promise<Socket[]> {
      while (waiting.length < count) await once(server, 'arrived');
      return waiting.splice(0, count);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
