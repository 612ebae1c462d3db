import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findEngine } from './engine.ts';
import { prepareImageTools } from './prepare-image-tools.ts';

let folder: string;
let engine: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-engine-'));
  mkdirSync(join(folder, 'programs'));
  vi.stubEnv('PATH', join(folder, 'programs'));
  vi.stubEnv('HOME', folder);
  vi.stubEnv('XDG_RUNTIME_DIR', folder);
  vi.stubEnv('DOCKER_HOST', `unix://${folder}/engine.sock`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  engine?.closeAllConnections();
  if (engine?.listening) await new Promise(resolve => engine!.close(resolve));
  engine = undefined;
  rmSync(folder, { recursive: true });
});

test('an engine that answers is used with the real client, its credentials kept apart', async () => {
  await startEngine({ Version: '28.2.1', Components: [{ Name: 'Engine' }] });
  installProgram('docker');
  const tools = await prepare();
  expect(tools.description).toContain(`Docker Engine 28.2.1 at unix://${folder}/engine.sock`);
  expect(tools.environment).toEqual({
    DOCKER_HOST: `unix://${folder}/engine.sock`,
    DOCKER_CONFIG: join(folder, 'build/docker-config'),
  });
  expect(() => readFileSync(join(tools.binFolder, 'docker'))).toThrow('ENOENT');
  expect(readFileSync(join(tools.binFolder, 'aws'), 'utf8')).toContain('aws-command');
});

test('Podman stands in as docker, and takes the region’s registry over plain HTTP', async () => {
  await startEngine({ Version: '5.4.0', Components: [{ Name: 'Podman Engine' }] });
  installProgram('podman', 'echo podman "$@"');
  const tools = await prepare();
  expect(tools.description).toContain('Podman Engine 5.4.0');
  expect(readFileSync(join(tools.binFolder, 'docker'), 'utf8')).toContain('echo podman');
  expect(readFileSync(tools.environment['CONTAINERS_REGISTRIES_CONF']!, 'utf8')).toContain(
    'location = "127.0.0.1:5000"',
  );
});

test('an engine is found over TCP, too', async () => {
  await startEngine({ Version: '28', Components: [{ Name: 'Engine' }] }, 0);
  const { port } = engine!.address() as { port: number };
  vi.stubEnv('DOCKER_HOST', `tcp://127.0.0.1:${port}`);
  installProgram('docker');
  expect(await findEngine('')).toMatchObject({
    endpoint: `tcp://127.0.0.1:${port}`,
    title: 'Docker Engine 28',
  });
});

test('a client with no engine behind it counts as none', async () => {
  installProgram('docker', 'exit 1');
  const tools = await prepare();
  expect(tools.description).toContain('no container engine');
  expect(readFileSync(join(tools.binFolder, 'docker'), 'utf8')).toContain('docker-command');
});

test('nor does an engine without a client, one that refuses, or one that never answers', async () => {
  await startEngine({});
  expect(await findEngine('')).toBeUndefined();
  installProgram('docker');
  engine!.removeAllListeners('request');
  engine!.on('request', (_request, response) => response.writeHead(500).end());
  expect(await findEngine('')).toBeUndefined();
  engine!.removeAllListeners('request');
  engine!.on('request', () => undefined);
  expect(await findEngine('')).toBeUndefined();
  vi.stubEnv('DOCKER_HOST', 'ssh://somewhere');
  expect(await findEngine('')).toBeUndefined();
});

function prepare() {
  return prepareImageTools({
    folder: join(folder, 'build'),
    cacheFolder: join(folder, 'cache'),
    registryHost: '127.0.0.1:5000',
    region: 'us-east-1',
  });
}

async function startEngine(version: object, port?: number): Promise<void> {
  engine = createServer((request, response) => {
    response.end(request.url === '/_ping' ? 'OK' : JSON.stringify(version));
  });
  if (port === undefined) engine.listen(join(folder, 'engine.sock'));
  else engine.listen(port, '127.0.0.1');
  await once(engine, 'listening');
}

function installProgram(name: string, body = 'true'): void {
  const path = join(folder, 'programs', name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}
