/**
 * The proxies that the balancer's benchmarks compare, each started with one thread before one back end (nginx). Where there
 * are two cores and `taskset`, a proxy has a core that it shares with nobody of the benchmark; load and back end have the
 * rest.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BalancerConfig } from '../src/local/balancer/contract.ts';
import { connect, freePort } from '../src/platform/network.ts';

export const ADDRESS = '127.0.0.1';
const CLOCK_TICKS_PER_SECOND = 100;
const PROXY_CORE = '0';
const BALANCER_PROCESS = fileURLToPath(new URL('../src/local/balancer/balancer-process.ts', import.meta.url));

export interface Contestant {
  name: string;
  port: number;
  /** The processes that proxy. */
  pids: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
const children: ChildProcess[] = [];
export const isPinned = availableParallelism() > 1 && has('taskset');
const otherCores = `1-${availableParallelism() - 1}`;

/** Ends every process and removes every file of the contest. */
export async function endContest(): Promise<void> {
  for (const child of children) child.kill('SIGKILL');
  const living = children.filter(child => child.exitCode === null && child.signalCode === null);
  await Promise.all(living.map(child => once(child, 'exit')));
  rmSync(folder, { recursive: true, force: true });
}

/** A new folder that goes with the contest. */
export function makeFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** A command line that leaves the proxies' core alone. */
export function besideTheProxies(command: readonly string[]): string[] {
  return isPinned ? ['taskset', '-c', otherCores, ...command] : [...command];
}

export async function startNginx(
  name: string,
  server: (port: number) => string,
  extra = '',
): Promise<number> {
  const { port } = await runNginx(name, server, extra, false);
  return port;
}

async function runNginx(
  name: string,
  server: (port: number) => string,
  extra: string,
  isContestant: boolean,
  log = 'access_log off',
): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort(ADDRESS);
  const prefix = join(folder, name);
  mkdirSync(prefix);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    kind => `${kind}_temp_path ${prefix}/${kind};`,
  );
  const file = join(prefix, 'nginx.conf');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; master_process off; pid ${prefix}/pid; error_log ${prefix}/error.log;
     events { worker_connections 8192; }
     http { ${log}; keepalive_requests 1000000000; ${paths.join(' ')} ${extra} server { ${server(port)} } }`,
  );
  const child = start(isContestant, 'nginx', ['-p', prefix, '-c', file]);
  await listening(port);
  return { port, child };
}

/** With `isLogging`, by its `combined` format, in batches: of what it can, the nearest to what Tandem does. */
export async function nginxProxy(backEndPort: number, isLogging = false): Promise<Contestant> {
  const { port, child } = await runNginx(
    isLogging ? 'logging-proxy' : 'proxy',
    port =>
      `listen ${ADDRESS}:${port}; location / { proxy_max_temp_file_size 0; proxy_pass http://back; proxy_http_version 1.1;
       proxy_set_header Connection ""; proxy_set_header Host $host;
       proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }`,
    `upstream back { server ${ADDRESS}:${backEndPort}; keepalive 1024; keepalive_requests 1000000000; }`,
    true,
    isLogging ? `access_log ${join(folder, 'access.log')} combined buffer=64k flush=250ms` : undefined,
  );
  return { name: isLogging ? 'nginx, logging' : 'nginx, 1 worker', port, pids: [child.pid!] };
}

export async function haproxy(backEndPort: number): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n  nbthread 1\n  maxconn 8192\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s
  option forwardfor\n  http-reuse always\nfrontend in\n  bind ${ADDRESS}:${port}\n  default_backend out
backend out\n  server one ${ADDRESS}:${backEndPort}\n`,
  );
  const child = start(true, 'haproxy', ['-f', file, '-db', '-q']);
  await listening(port);
  return { name: 'HAProxy, 1 thread', port, pids: [child.pid!] };
}

export async function plainProxy(backEndPort: number): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const script = fileURLToPath(new URL('./plain-proxy.ts', import.meta.url));
  const child = start(true, process.execPath, [script, String(port), String(backEndPort)]);
  await listening(port);
  return { name: 'plain node:http proxy', port, pids: [child.pid!] };
}

/** The balancer process itself, which takes up the configuration that it finds in its folder. */
export async function tandem(backEndPort: number, processes = 1): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const pids = Array.from({ length: processes }, (_, index) => {
    const own = join(folder, `balancer-${processes}-${index}`);
    mkdirSync(own);
    writeFileSync(join(own, 'config.json'), JSON.stringify(balancerConfig(port, backEndPort, processes > 1)));
    return start(processes === 1, process.execPath, [BALANCER_PROCESS, own], processes > 1).pid!;
  });
  await listening(port);
  return { name: processes === 1 ? 'Tandem' : `Tandem, ${processes} processes on all cores`, port, pids };
}

/** The same with every request logged, and stored by another process. */
export async function tandemLogging(backEndPort: number): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const own = makeFolder('balancer-logging');
  const config = { ...balancerConfig(port, backEndPort, false), logsRequests: true };
  writeFileSync(join(own, 'config.json'), JSON.stringify(config));
  const pid = start(true, process.execPath, [BALANCER_PROCESS, own]).pid!;
  start(false, process.execPath, [fileURLToPath(new URL('./request-collector.ts', import.meta.url)), own]);
  await listening(port);
  return { name: 'Tandem, logging', port, pids: [pid] };
}

function balancerConfig(port: number, backEndPort: number, isShared: boolean): BalancerConfig {
  return {
    listeners: [
      { name: 'production', address: ADDRESS, port, isShared, forward: [{ targetGroup: 'blue', weight: 1 }] },
    ],
    targetGroups: [
      {
        name: 'blue',
        algorithm: 'round_robin',
        healthCheck: {
          path: '/',
          intervalMs: 5_000,
          initialIntervalMs: 50,
          timeoutMs: 2_000,
          healthyThreshold: 2,
          unhealthyThreshold: 3,
          matcher: '200',
        },
        deregistrationDelayMs: 30_000,
        drainingEndsWhenIdle: true,
        slowStartMs: 0,
        targets: [{ id: 'back-end', address: ADDRESS, port: backEndPort }],
      },
    ],
    limits: { idleTimeoutMs: 60_000, clientKeepAliveMs: 3_600_000, bodyBytes: 1_048_576 },
  };
}

function start(
  isContestant: boolean,
  program: string,
  argv: readonly string[],
  isOnAllCores = false,
): ChildProcess {
  const command =
    isPinned && !isOnAllCores
      ? ['taskset', '-c', isContestant ? PROXY_CORE : otherCores, program, ...argv]
      : [program, ...argv];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ host: ADDRESS, port });
    const isOpen = await new Promise<boolean>(resolve => {
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export interface Load {
  requests: number;
  requestsPerSecond: number;
  requestsPerCpuSecond: number;
  p50Ms: number;
  p99Ms: number;
  failures: number;
}

/** Loads a proxy with wrk, and reads what it says. */
export function wrk(
  { port, pids }: Contestant,
  load: { connections: number; seconds: number; path?: string; headers?: readonly string[] },
): Load {
  const before = cpuSeconds(pids);
  const command = besideTheProxies([
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    '--latency',
    ...(load.headers ?? []).flatMap(header => ['-H', header]),
    `http://${ADDRESS}:${port}${load.path ?? '/'}`,
  ]);
  const { stdout } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  const used = cpuSeconds(pids) - before;
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  return {
    requests,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0),
    requestsPerCpuSecond: requests / used,
    p50Ms: milliseconds(/50%\s+(\S+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+(\S+)/.exec(stdout)?.[1]),
    failures: [...stdout.matchAll(/(?:Non-2xx or 3xx responses|connect|read|write|timeout):? (\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    ),
  };
}

function milliseconds(text = ''): number {
  const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return Number(number) * (unit === 'us' ? 0.001 : unit === 's' ? 1_000 : 1);
}

/** Linux: fields 14 and 15 of /proc/<pid>/stat. Elsewhere there is no such column. */
function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const path = `/proc/${pid}/stat`;
    if (!existsSync(path)) return Number.NaN;
    const fields = readFileSync(path, 'utf8').split(') ')[1]!.split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  }, 0);
}

export function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
