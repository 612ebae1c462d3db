/**
 * Requests a second through the load balancer, beside nginx, HAProxy and a plain Node.js proxy: small answers on
 * kept-alive connections, one back end that is not the bottleneck. Every proxy has one thread and, where there are two
 * cores and `taskset`, a core that it shares with nobody of this benchmark; the load and the back end have the rest.
 * Proxies take turns within each round, so that a noisy machine is noisy to all; the median of the rounds counts.
 * "per CPU second" goes by the processor time that the proxy itself used, which noise touches least.
 *
 *     node bench/balancer.ts [--seconds 3] [--rounds 3] [--connections 50]
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BalancerConfig } from '../src/local/balancer/contract.ts';
import { connect, freePort } from '../src/platform/network.ts';

const ADDRESS = '127.0.0.1';
const CLOCK_TICKS_PER_SECOND = 100;
const PROXY_CORE = '0';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '50' },
  },
});

interface Contestant {
  name: string;
  port: number;
  /** The processes that proxy. */
  pids: number[];
}

interface Measurement {
  requestsPerSecond: number;
  requestsPerCpuSecond: number;
  p50Ms: number;
  p99Ms: number;
  failures: number;
}

const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
const children: ChildProcess[] = [];
const isPinned = availableParallelism() > 1 && has('taskset');
const otherCores = `1-${availableParallelism() - 1}`;

try {
  await main();
} finally {
  for (const child of children) child.kill('SIGKILL');
  const living = children.filter(child => child.exitCode === null && child.signalCode === null);
  await Promise.all(living.map(child => once(child, 'exit')));
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const missing = ['wrk', 'nginx'].filter(program => !has(program));
  if (missing.length > 0) {
    console.error(
      `This benchmark needs ${missing.join(' and ')} on the PATH (Debian: apt install wrk nginx haproxy).`,
    );
    process.exitCode = 1;
    return;
  }
  const backEndPort = await startNginx(
    'back-end',
    port => `listen ${ADDRESS}:${port}; location / { return 200 "hello\\n"; }`,
  );
  const contestants = [
    await nginxProxy(backEndPort),
    ...(has('haproxy') ? [await haproxy(backEndPort)] : []),
    await plainProxy(backEndPort),
    await tandem(backEndPort),
    await tandem(backEndPort, 2),
  ];
  const measurements = new Map<Contestant, Measurement[]>(contestants.map(contestant => [contestant, []]));
  for (const contestant of contestants) measure(contestant, 1);
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    for (const contestant of contestants) {
      measurements.get(contestant)!.push(measure(contestant, Number(options.seconds)));
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  print(measurements);
}

function measure(contestant: Contestant, seconds: number): Measurement {
  const before = cpuSeconds(contestant.pids);
  const wrk = [
    'wrk',
    '-t1',
    `-c${options.connections}`,
    `-d${seconds}s`,
    '--latency',
    `http://${ADDRESS}:${contestant.port}/`,
  ];
  const command = isPinned ? ['taskset', '-c', otherCores, ...wrk] : wrk;
  const { stdout } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  const used = cpuSeconds(contestant.pids) - before;
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  return {
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

function print(measurements: Map<Contestant, Measurement[]>): void {
  const rows = [...measurements].map(([{ name }, all]) => ({
    name,
    requestsPerSecond: median(all.map(one => one.requestsPerSecond)),
    requestsPerCpuSecond: median(all.map(one => one.requestsPerCpuSecond)),
    p50Ms: median(all.map(one => one.p50Ms)),
    p99Ms: median(all.map(one => one.p99Ms)),
    failures: all.reduce((sum, one) => sum + one.failures, 0),
  }));
  const nginx = rows[0]!;
  const header = ['', 'requests/s', 'to nginx', 'per CPU second', 'to nginx', 'p50 ms', 'p99 ms', 'failed'];
  const cells = rows.map(row => [
    row.name,
    row.requestsPerSecond.toFixed(0),
    (row.requestsPerSecond / nginx.requestsPerSecond).toFixed(2),
    row.requestsPerCpuSecond.toFixed(0),
    (row.requestsPerCpuSecond / nginx.requestsPerCpuSecond).toFixed(2),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    String(row.failures),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...cells].map(row => row[column]!.length)));
  for (const row of [header, ...cells]) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    );
  }
  const pinning = isPinned
    ? 'each proxy alone on one core'
    : 'not pinned to cores: the ratios are only a hint';
  console.log(
    `\n${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s; ${pinning}.`,
  );
}

async function startNginx(name: string, server: (port: number) => string, extra = ''): Promise<number> {
  const { port } = await runNginx(name, server, extra, false);
  return port;
}

async function runNginx(
  name: string,
  server: (port: number) => string,
  extra: string,
  isContestant: boolean,
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
     http { access_log off; keepalive_requests 1000000000; ${paths.join(' ')} ${extra} server { ${server(port)} } }`,
  );
  const child = start(isContestant, 'nginx', ['-p', prefix, '-c', file]);
  await listening(port);
  return { port, child };
}

async function nginxProxy(backEndPort: number): Promise<Contestant> {
  const { port, child } = await runNginx(
    'proxy',
    port =>
      `listen ${ADDRESS}:${port}; location / { proxy_pass http://back; proxy_http_version 1.1;
       proxy_set_header Connection ""; proxy_set_header Host $host;
       proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }`,
    `upstream back { server ${ADDRESS}:${backEndPort}; keepalive 1024; keepalive_requests 1000000000; }`,
    true,
  );
  return { name: 'nginx, 1 worker', port, pids: [child.pid!] };
}

async function haproxy(backEndPort: number): Promise<Contestant> {
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

async function plainProxy(backEndPort: number): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const script = fileURLToPath(new URL('./plain-proxy.ts', import.meta.url));
  const child = start(true, process.execPath, [script, String(port), String(backEndPort)]);
  await listening(port);
  return { name: 'plain node:http proxy', port, pids: [child.pid!] };
}

/** The balancer process itself, which takes up the configuration that it finds in its folder. */
async function tandem(backEndPort: number, processes = 1): Promise<Contestant> {
  const port = await freePort(ADDRESS);
  const script = fileURLToPath(new URL('../src/local/balancer/balancer-process.ts', import.meta.url));
  const pids = Array.from({ length: processes }, (_, index) => {
    const own = join(folder, `balancer-${processes}-${index}`);
    mkdirSync(own);
    writeFileSync(join(own, 'config.json'), JSON.stringify(balancerConfig(port, backEndPort, processes > 1)));
    return start(processes === 1, process.execPath, [script, own], processes > 1).pid!;
  });
  await listening(port);
  return { name: processes === 1 ? 'Tandem' : `Tandem, ${processes} processes on all cores`, port, pids };
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

/** Linux: fields 14 and 15 of /proc/<pid>/stat. Elsewhere there is no such column. */
function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const path = `/proc/${pid}/stat`;
    if (!existsSync(path)) return Number.NaN;
    const fields = readFileSync(path, 'utf8').split(') ')[1]!.split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  }, 0);
}

function milliseconds(text = ''): number {
  const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return Number(number) * (unit === 'us' ? 0.001 : unit === 's' ? 1_000 : 1);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
