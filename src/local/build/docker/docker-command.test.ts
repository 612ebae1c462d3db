import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../platform/network.ts';
import { findProgram } from '../../../platform/process.ts';
import { RegistryServer } from '../../registry/testing/server.ts';
import { ToolsFixture } from './testing/tools-fixture.ts';

const DOCKERFILE = `FROM node:24-alpine AS build
WORKDIR /app
COPY package.json ./
RUN node -e 'fs.writeFileSync("made.js", "1")'
FROM node:24-alpine
WORKDIR /app
COPY --from=build --chown=1001:1001 /app ./
COPY server.js ./
USER 1001
CMD ["node", "server.js"]
`;

const hasDebianRegistry = findProgram('docker-registry') !== undefined;
const hasSkopeo = findProgram('skopeo') !== undefined;

describe.each([
  ['the region’s registry', startOwnRegistry, true],
  ['Debian’s docker-registry', startDebianRegistry, hasDebianRegistry],
] as const)('docker with %s', (_title, start, isHere) => {
  let registry: { host: string; stop(): Promise<void> };
  let tools: ToolsFixture;
  let name: string;
  beforeAll(async () => {
    if (!isHere) return;
    registry = await start();
    tools = await ToolsFixture.start(registry.host);
    tools.write('Dockerfile', DOCKERFILE);
    tools.write('package.json', '{}');
    tools.write('server.js', 'console.log("served")');
    name = `${registry.host}/storefront`;
  });
  afterAll(async () => {
    await tools?.remove();
    await registry?.stop();
  });

  test.runIf(isHere)('a buildspec’s own lines work unchanged', async () => {
    const { exitCode, stdout, stderr } = await tools.run(`set -e
REPOSITORY_URI=${name}
aws --version >/dev/null 2>&1 || true
aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin "\${REPOSITORY_URI%%/*}"
docker build -t $REPOSITORY_URI:latest .
docker tag $REPOSITORY_URI:latest $REPOSITORY_URI:abc1234
docker push $REPOSITORY_URI:latest
docker push $REPOSITORY_URI:abc1234
docker images
docker inspect --format='{{index .RepoDigests 0}}' $REPOSITORY_URI:abc1234
aws ecr describe-images --repository-name storefront --image-ids imageTag=abc1234 --query 'imageDetails[0].imageTags[0]' --output text
aws sts get-caller-identity --query Account --output text`);
    expect(stderr).toContain('[build 4/4] RUN node -e');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Login Succeeded');
    const digest = /latest: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(stdout)?.[1];
    expect(stdout).toMatch(new RegExp(`abc1234: digest: ${digest} size: \\d+`));
    expect(stdout).toContain('Layer already exists');
    expect(stdout).toContain(`${name}@${digest}\nabc1234\n000000000000\n`);
  });

  test.runIf(isHere && hasSkopeo)(
    'skopeo reads the image, and its layers hold the expected files',
    async () => {
      expect((await tools.run(`docker build --push -q -t ${name}:checked .`)).exitCode).toBe(0);
      const inspected = await tools.run(`skopeo inspect --tls-verify=false docker://${name}:checked`);
      expect(JSON.parse(inspected.stdout)).toMatchObject({
        Os: 'linux',
        Labels: { 'dev.tandem.runtime': 'process' },
      });
      const folder = join(tools.folder, 'oci');
      const copied = await tools.run(
        `skopeo copy -q --src-tls-verify=false docker://${name}:checked oci:${folder}:x`,
      );
      expect(copied.stderr).toBe('');
      const manifest = readBlob(folder, readJson(join(folder, 'index.json')).manifests[0].digest);
      const listed = manifest.layers.flatMap(({ digest }: { digest: string }) =>
        spawnSync('tar', ['tzf', blobPath(folder, digest)], { encoding: 'utf8' })
          .stdout.trim()
          .split('\n'),
      );
      expect(listed).toEqual(['app/', 'app/made.js', 'app/package.json', 'app/server.js']);
      // What skopeo cannot know: the digests of the uncompressed layers.
      const config = readBlob(folder, manifest.config.digest);
      for (const [index, { digest }] of manifest.layers.entries()) {
        const sum = spawnSync('sh', ['-c', `gzip -dc ${blobPath(folder, digest)} | sha256sum`], {
          encoding: 'utf8',
        });
        expect(config.rootfs.diff_ids[index]).toBe(`sha256:${sum.stdout.slice(0, 64)}`);
      }
    },
  );

  test.runIf(isHere)(
    'what was pushed can be pulled, also under the name that ECR would give it',
    async () => {
      await tools.run(`docker build --push -q -t ${name}:pulled .`);
      const other = await ToolsFixture.start(registry.host);
      try {
        const ecr = '000000000000.dkr.ecr.us-east-1.amazonaws.com/storefront:pulled';
        const { exitCode, stdout } = await other.run(
          `docker pull ${name}:pulled && docker pull -q ${ecr} && docker images -q`,
        );
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/Status: Downloaded newer image/);
        other.write(
          'Dockerfile',
          `FROM ${name}:pulled AS base\nFROM scratch\nCOPY --from=base /app/server.js /copy`,
        );
        expect(
          await other.run('docker build -t rebuilt . && docker save -o x.tar rebuilt && tar tf x.tar'),
        ).toMatchObject({
          exitCode: 0,
          stdout: expect.stringContaining('index.json'),
        });
      } finally {
        await other.remove();
      }
    },
  );

  test.runIf(isHere && start === startOwnRegistry)(
    'a 100 MB file goes through in pieces: build and push stay small',
    async () => {
      const size = 100 * 1024 * 1024;
      await writeNoise(join(tools.contextFolder, 'large'), size);
      tools.write('large.Dockerfile', 'FROM scratch\nCOPY large /\n');
      const building = tools.start(`docker build -q --push -f large.Dockerfile -t ${name}:large .`);
      const peak = await peakMemoryOf(building);
      expect(building.exitCode).toBe(0);
      expect(peak).toBeLessThan(200 * 1024 * 1024);
    },
  );

  test.runIf(isHere)(
    'pushing elsewhere, pulling what is not there and a registry that is gone are told plainly',
    async () => {
      await tools.run('docker build -q -t example.com/x . && docker build -q -t 127.0.0.1:1/x .');
      expect(await tools.run('docker push example.com/x')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/example.com is not this region's registry.*\[REGISTRY_FOREIGN\]/),
      });
      expect(await tools.run(`docker pull ${name}:nothing`)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/manifest for .*:nothing not found.*\[IMAGE_UNKNOWN\]/),
      });
      expect(await tools.run('docker push 127.0.0.1:1/x')).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/ECONNREFUSED.*\[REGISTRY_REQUEST_FAILED\]/),
      });
    },
  );
});

describe('docker on its own', () => {
  let tools: ToolsFixture;
  beforeAll(async () => {
    tools = await ToolsFixture.start('127.0.0.1:1');
    tools.write('Dockerfile', 'FROM scratch\nARG A=0\nLABEL a=$A\nCOPY Dockerfile /\n');
  });
  afterAll(() => tools.remove());

  test.each([
    ['docker run x', 125, 'docker run is not possible without a container engine'],
    ['docker compose up', 125, 'docker compose'],
    ['docker buildx bake', 125, 'docker buildx bake'],
    ['docker', 125, 'docker is not possible'],
    ['docker build --wibble .', 1, "Unknown option '--wibble'. Known options: -t, --tag"],
    ['docker build', 1, 'docker build takes one path, not 0'],
    ['docker build -t UPPER .', 1, 'IMAGE_REFERENCE_INVALID'],
    ['docker build https://github.com/a/b.git', 125, 'only a folder of this machine'],
    ['docker build -t', 1, 'DOCKER_COMMAND_INVALID'],
    ['docker build nowhere', 1, 'failed to read the Dockerfile nowhere/Dockerfile'],
    ['docker build --platform linux/amd64,linux/arm64 .', 125, 'one Linux platform'],
    ['docker push nothing', 1, 'No such image: nothing'],
    ['docker tag nothing x', 1, 'No such image: nothing'],
    ['docker inspect --type=container x', 125, 'docker inspect --type container'],
    ['docker login -u AWS', 1, 'needs a user and a password'],
    ['docker load -i Dockerfile', 1, '['],
  ])('%s ends with %i: %s', async (command, exitCode, message) => {
    expect(await tools.run(command)).toMatchObject({ exitCode, stderr: expect.stringContaining(message) });
  });

  test('build takes docker’s options in all their spellings', async () => {
    const { exitCode, stdout } = await tools.run(
      'docker buildx build -tone --tag=two -t three:3 -f ./Dockerfile --build-arg A=1 --label b=2 --platform=linux/arm64 --pull --no-cache=false --progress plain --load --provenance=false --cache-from type=gha --iidfile id -q . && cat id && echo && docker images --format "{{.Repository}}:{{.Tag}}" && docker inspect -f "{{json .Config.Labels}} {{.Architecture}}" one',
    );
    expect(exitCode).toBe(0);
    const [id, ...rest] = stdout.trim().split('\n');
    expect(rest).toEqual([
      id,
      'one:latest',
      'three:3',
      'two:latest',
      expect.stringMatching(/"a":"1","b":"2"\} arm64$/),
    ]);
  });

  test('build reads a Dockerfile from standard input, and build arguments from the environment', async () => {
    const { stdout } = await tools.run(
      'printf "FROM scratch\\nARG A\\nLABEL a=\\$A\\n" | A=from-env docker build -q --build-arg A -t piped -f - . && docker inspect -f "{{index .Config.Labels \\"a\\"}}" piped',
    );
    expect(stdout).toContain('from-env\n');
  });

  test('images can be saved, loaded, tagged and removed', async () => {
    const { exitCode, stdout, stderr } = await tools.run(
      'docker build -q -t kept:1 . && docker save kept:1 > kept.tar && docker rmi kept:1 && docker load < kept.tar && docker tag kept:1 other && docker rmi -f $(docker images -q other) && docker images -q kept',
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Loaded image: kept:1\n');
    expect(stdout).toContain('Untagged: other:latest\n');
  });

  test.each([
    'docker version',
    'docker --version',
    'docker info',
    'docker buildx create --use',
    'docker system prune -af',
    'docker logout',
  ])('%s does no harm', async command => {
    expect(await tools.run(command)).toMatchObject({ exitCode: 0 });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s of docker ends what RUN started', async signal => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    tools.write(
      'hangs.Dockerfile',
      `FROM scratch\nRUN node -e 'require("net").connect(${port}, "127.0.0.1")'\n`,
    );
    const docker = tools.start('docker build -f hangs.Dockerfile .');
    const [socket] = await once(server, 'connection');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.resume();
    docker.kill(signal);
    const [code, by] = await once(docker, 'exit');
    expect([code, by]).toEqual(signal === 'SIGTERM' ? [143, null] : [null, 'SIGKILL']);
    await closed;
    server.close();
    if (signal === 'SIGTERM') expect(readdirSync(join(tools.folder, 'build/work'))).toEqual([]);
  });
});

describe('aws', () => {
  let tools: ToolsFixture;
  beforeAll(async () => {
    tools = await ToolsFixture.start('127.0.0.1:1');
  });
  afterAll(() => tools.remove());

  test.each([
    ['aws ecr get-login-password', 0, /^\S+\n$/],
    ['aws --region eu-west-1 ecr get-login-password --profile x', 0, /^\S+\n$/],
    ['aws sts get-caller-identity', 0, /"Account": "000000000000"/],
    [
      'aws sts get-caller-identity --query Arn --output text',
      0,
      /^arn:aws:iam::000000000000:user\/tandem\n$/,
    ],
    [
      'aws ecr describe-repositories --repository-names a --query "repositories[].repositoryUri" --output text',
      0,
      /^127.0.0.1:1\/a\n$/,
    ],
    ['aws ecr get-login', 254, /aws ecr get-login is gone/],
    ['aws sts get-caller-identity --query "sort(@)"', 254, /AWS_QUERY_UNSUPPORTED/],
    ['aws ecr describe-images', 254, /needs --repository-name/],
  ])('%s ends with %i: %s', async (command, exitCode, output) => {
    const result = await tools.run(command);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stdout + result.stderr).toMatch(output);
  });

  test('passes every other call on to the machine’s own AWS CLI, with its exit code', async () => {
    const folder = join(tools.folder, 'machine');
    mkdirSync(folder);
    writeFileSync(join(folder, 'aws'), '#!/bin/sh\necho "machine: $*"\nexit 42\n', { mode: 0o755 });
    expect(
      await tools.run(
        `PATH="$PATH:${folder}"; PATH=$(echo "$PATH" | sed "s,^\\([^:]*\\):.*,\\1:${folder}:/usr/bin:/bin,"); aws s3 ls "a b"`,
      ),
    ).toMatchObject({
      exitCode: 42,
      stdout: 'machine: s3 ls a b\n',
    });
  });

  test('says so where there is none', async () => {
    const result = await tools.run('PATH=${PATH%%:*}; aws s3 ls');
    expect(result).toMatchObject({
      exitCode: 253,
      stderr: expect.stringContaining(
        'aws s3 ls: this machine has no AWS CLI, and a local region answers only: ecr get-login-password',
      ),
    });
  });
});

async function startOwnRegistry() {
  const server = await RegistryServer.start();
  return { host: server.host, stop: () => server.remove() };
}

async function startDebianRegistry() {
  const tools = await ToolsFixture.start('127.0.0.1:1');
  const port = await freePort('127.0.0.1');
  const config = join(tools.folder, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1\nstorage: {filesystem: {rootdirectory: ${tools.folder}/registry}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  );
  const child = spawn(findProgram('docker-registry')!, ['serve', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  await new Promise<void>(resolve => {
    child.stderr.on('data', chunk => {
      output += String(chunk);
      if (output.includes('listening on')) resolve();
    });
  });
  return {
    host: `127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await tools.remove();
    },
  };
}

/** Bytes that do not compress, and are the same each time. */
async function writeNoise(path: string, size: number): Promise<void> {
  const file = createWriteStream(path);
  const piece = Buffer.alloc(1_048_576);
  let state = 1;
  for (let written = 0; written < size; written += piece.length) {
    for (let at = 0; at < piece.length; at += 4) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      piece.writeUInt32LE(state, at);
    }
    if (!file.write(Buffer.from(piece))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** The most memory that a process ever had, in bytes, as the kernel keeps count of it. */
async function peakMemoryOf(child: ChildProcess): Promise<number> {
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024);
    } catch {
      // No /proc, or the process is gone.
    }
  }, 20);
  await once(child, 'exit');
  clearInterval(look);
  return peak;
}

function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

function readBlob(folder: string, digest: string) {
  return readJson(blobPath(folder, digest));
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
