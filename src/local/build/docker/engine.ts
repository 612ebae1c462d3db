import { environment, findProgram, operatingSystem, userId } from '../../../platform/process.ts';
import { existsSync } from '../../../platform/files.ts';
import { httpRequest } from '../../../platform/network.ts';

/** A container engine that answered, and the client that talks to it. */
export interface ContainerEngine {
  /** As DOCKER_HOST has it: `unix:///var/run/docker.sock`. */
  endpoint: string;
  /** `Docker Engine 28.2` or `Podman Engine 5.4`. */
  title: string;
  /** Path of the client on PATH: the real `docker`, else `podman`. */
  client: { program: string; kind: 'docker' | 'podman' };
}

/** An engine on this machine answers in milliseconds; one that does not is no engine to build with. */
const ANSWER_LIMIT_MS = 1_000;

/**
 * Looks for a Docker-compatible engine that really answers `GET /_ping`: DOCKER_HOST, else Docker's and Podman's
 * sockets. A client without an engine behind it, or an engine without a client, counts as none.
 */
export async function findEngine(exceptFolder: string): Promise<ContainerEngine | undefined> {
  const docker = findProgram('docker', [exceptFolder]);
  const podman = findProgram('podman', [exceptFolder]);
  for (const endpoint of candidateEndpoints()) {
    const answer = await ask(endpoint, '/_ping');
    if (answer?.statusCode !== 200) continue;
    const version = await ask(endpoint, '/version');
    const { name, number } = versionOf(version?.body ?? '');
    const isPodman = /podman/i.test(name);
    const program = isPodman ? (podman ?? docker) : docker;
    if (program === undefined) continue;
    return {
      endpoint,
      title: `${isPodman ? 'Podman' : 'Docker'} Engine ${number}`.trim(),
      client: { program, kind: program === podman ? 'podman' : 'docker' },
    };
  }
  return undefined;
}

function candidateEndpoints(): string[] {
  const given = environment['DOCKER_HOST'];
  if (given !== undefined && given !== '') return [given];
  const runtime = environment['XDG_RUNTIME_DIR'] ?? `/run/user/${userId ?? 0}`;
  const home = environment['HOME'] ?? '/root';
  const sockets = [
    '/var/run/docker.sock',
    `${runtime}/docker.sock`,
    `${home}/.docker/run/docker.sock`,
    `${runtime}/podman/podman.sock`,
    '/run/podman/podman.sock',
    ...(operatingSystem === 'darwin' ? [`${home}/.local/share/containers/podman/machine/podman.sock`] : []),
  ];
  return sockets.filter(path => existsSync(path)).map(path => `unix://${path}`);
}

/** `undefined` where nothing answers in time, or the endpoint is of a kind (ssh) that a build cannot wait for. */
function ask(endpoint: string, path: string): Promise<{ statusCode: number; body: string } | undefined> {
  const target = targetOf(endpoint, path);
  if (target === undefined) return Promise.resolve(undefined);
  return new Promise(resolve => {
    const request = httpRequest({ ...target, timeout: ANSWER_LIMIT_MS, headers: { host: 'docker' } });
    const giveUp = () => {
      request.destroy();
      resolve(undefined);
    };
    request.on('timeout', giveUp);
    request.on('error', giveUp);
    request.on('response', response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', giveUp);
      response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, body }));
    });
    request.end();
  });
}

function targetOf(endpoint: string, path: string) {
  if (endpoint.startsWith('unix://')) return { socketPath: endpoint.slice('unix://'.length), path };
  const match = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(endpoint);
  if (match === null) return undefined;
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: Number(match[2] ?? 2375), path };
}

function versionOf(body: string): { name: string; number: string } {
  try {
    const { Version = '', Components = [] } = JSON.parse(body) as {
      Version?: string;
      Components?: { Name?: string }[];
    };
    return { name: Components[0]?.Name ?? '', number: Version };
  } catch {
    return { name: '', number: '' };
  }
}
