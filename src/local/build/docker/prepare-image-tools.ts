import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from '../../../platform/files.ts';
import { compileCacheForChildren } from '../../../platform/modules.ts';
import { environment, nodePath } from '../../../platform/process.ts';
import type { ImageTools, ImageToolsRequest, PrepareImageTools } from '../contract.ts';
import { findEngine, type ContainerEngine } from './engine.ts';
import type { ToolSettings } from './settings.ts';

/**
 * Makes `aws`, and where no container engine answers `docker`, in a folder for the front of PATH. With an engine its
 * own client is used; the folder then keeps the client's credentials out of the user's.
 */
export const prepareImageTools: PrepareImageTools = async request => {
  const binFolder = join(request.folder, 'bin');
  mkdirSync(binFolder, { recursive: true });
  mkdirSync(request.cacheFolder, { recursive: true });
  const settings: ToolSettings = {
    folder: request.folder,
    cacheFolder: request.cacheFolder,
    binFolder,
    registryHost: request.registryHost,
    region: request.region,
  };
  const settingsPath = join(request.folder, 'settings.json');
  writeFileSync(settingsPath, JSON.stringify(settings));
  writeCommand(settings, settingsPath, 'aws');
  const engine = await findEngine(binFolder);
  if (engine !== undefined) return useEngine(engine, request, binFolder);
  writeCommand(settings, settingsPath, 'docker');
  return {
    binFolder,
    environment: {},
    description:
      'no container engine: the Dockerfile runs as plain processes, and its base images stand for this machine',
  };
};

/** A few lines of shell, so that Node.js is found whatever PATH says and what it compiled is kept from call to call. */
function writeCommand(settings: ToolSettings, settingsPath: string, name: 'docker' | 'aws'): void {
  const script = fileURLToPath(new URL(`./${name}-command${extname(import.meta.url)}`, import.meta.url));
  const compileCache = compileCacheForChildren(join(settings.cacheFolder, 'node-compile-cache'));
  const path = join(settings.binFolder, name);
  writeFileSync(
    path,
    `#!/bin/sh\nNODE_COMPILE_CACHE=${quote(compileCache)} exec ${quote(nodePath)} ${quote(script)} ${quote(settingsPath)} "$@"\n`,
  );
  chmodSync(path, 0o755);
}

function useEngine(engine: ContainerEngine, request: ImageToolsRequest, binFolder: string): ImageTools {
  const { client, endpoint, title } = engine;
  if (client.kind === 'podman') {
    symlinkSync(client.program, join(binFolder, 'docker'));
    const registries = join(request.folder, 'registries.conf');
    writeFileSync(
      registries,
      `unqualified-search-registries = ["docker.io"]\n\n[[registry]]\nlocation = ${JSON.stringify(request.registryHost)}\ninsecure = true\n`,
    );
    return {
      binFolder,
      environment: {
        CONTAINERS_REGISTRIES_CONF: registries,
        REGISTRY_AUTH_FILE: join(request.folder, 'auth.json'),
      },
      description: `${title} at ${endpoint}, through podman as docker; the registry ${request.registryHost} is reached over plain HTTP`,
    };
  }
  return {
    binFolder,
    environment: { DOCKER_HOST: endpoint, DOCKER_CONFIG: dockerConfig(request.folder) },
    description: `${title} at ${endpoint}; it must reach the registry ${request.registryHost} over plain HTTP (Docker does for loopback addresses; an engine in a virtual machine needs it as an insecure registry)`,
  };
}

/** A client configuration of this build's own, so that `docker login` leaves the user's alone; plugins are shared. */
function dockerConfig(folder: string): string {
  const config = join(folder, 'docker-config');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'config.json'), '{}\n', { mode: 0o600 });
  const own = environment['DOCKER_CONFIG'] ?? join(environment['HOME'] ?? '/root', '.docker');
  const plugins = join(own, 'cli-plugins');
  if (existsSync(plugins)) symlinkSync(plugins, join(config, 'cli-plugins'));
  return config;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
