/**
 * Other shapes of load than `balancer.ts` has, nginx and Tandem side by side: big bodies, many idle connections, a new
 * connection for each request, the latency that is added at half of the load that the proxy can carry, and memory over a
 * million requests.
 *
 *     node bench/balancer-shapes.ts [--seconds 3] [--only bodies,idle,connections,latency,memory]
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../src/platform/network.ts';
import {
  ADDRESS,
  besideTheProxies,
  endContest,
  haproxy,
  has,
  makeFolder,
  nginxProxy,
  startNginx,
  tandem,
  wrk,
  type Contestant,
  type Load,
} from './balancer-contestants.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'bodies,idle,connections,latency,memory' },
  },
});
const seconds = Number(options.seconds);

const SHAPES: Record<
  string,
  (contestants: readonly Contestant[], backEnd: Contestant) => Promise<void> | void
> = {
  bodies(contestants) {
    for (const [path, connections] of [
      ['/64k', 32],
      ['/10m', 8],
    ] as const) {
      compare(`bodies of ${path.slice(1)}, ${connections} connections, requests/s`, contestants, proxy =>
        wrk(proxy, { connections, path, seconds }),
      );
    }
  },

  async idle(contestants) {
    const idle = (
      await Promise.all(
        contestants.map(({ port }) => Promise.all(Array.from({ length: 1_000 }, () => open(port)))),
      )
    ).flat();
    compare('64 busy connections beside 1,000 idle ones, requests/s', contestants, proxy =>
      wrk(proxy, { connections: 64, seconds }),
    );
    for (const socket of idle) socket.destroy();
  },

  connections(contestants) {
    compare('a new connection for each request, connections/s', contestants, proxy =>
      wrk(proxy, { connections: 32, seconds, headers: ['Connection: close'] }),
    );
  },

  /** All get the same load, half of what the slowest carries. */
  latency(contestants, backEnd) {
    const most = Math.min(
      ...contestants.map(proxy => wrk(proxy, { connections: 50, seconds }).requestsPerSecond),
    );
    const rate = Math.floor(most / 2);
    console.log(`\nlatency at ${rate} requests/s, milliseconds`);
    for (const contestant of [backEnd, ...contestants]) {
      const { latency, errors, non2xx } = atRate(contestant, rate);
      const failed = errors + non2xx;
      console.log(
        `  ${contestant.name.padEnd(20)} p50 ${latency.p50}   p99 ${latency.p99}   failed ${failed}`,
      );
    }
  },

  memory(contestants) {
    console.log('\nmemory over a million requests, MiB resident: at the start, and after each 250,000');
    for (const proxy of contestants) {
      const resident = [residentMib(proxy)];
      for (let quarter = 0; quarter < 4; quarter += 1) {
        for (let done = 0; done < 250_000;) done += wrk(proxy, { connections: 50, seconds }).requests;
        resident.push(residentMib(proxy));
      }
      console.log(`  ${proxy.name.padEnd(20)} ${resident.map(mib => mib.toFixed(0)).join('  ')}`);
    }
  },
};

try {
  await main();
} finally {
  await endContest();
}

async function main(): Promise<void> {
  const missing = ['wrk', 'nginx', 'haproxy'].filter(program => !has(program));
  if (missing.length > 0)
    throw new Error(`not on the PATH: ${missing.join(', ')} (Debian: apt install ${missing.join(' ')})`);
  const port = await startNginx('back-end', backEndServer);
  const contestants = [await nginxProxy(port), await haproxy(port), await tandem(port)];
  for (const contestant of contestants) wrk(contestant, { connections: 50, seconds: 1 });
  for (const name of options.only.split(',')) {
    const shape = SHAPES[name];
    if (shape === undefined) throw new Error(`--only ${name}: one of ${Object.keys(SHAPES).join(', ')}`);
    await shape(contestants, { name: 'the back end itself', port, pids: [] });
  }
}

/** The back end serves its bodies from files that stay in the system's cache. */
function backEndServer(port: number): string {
  const root = makeFolder('bodies');
  writeFileSync(join(root, '64k'), Buffer.alloc(64 * 1_024, 'x'));
  writeFileSync(join(root, '10m'), Buffer.alloc(10 * 1_024 * 1_024, 'x'));
  return `listen ${ADDRESS}:${port}; root ${root}; sendfile on; location = / { return 200 "hello\\n"; }`;
}

function atRate(proxy: Contestant, rate: number) {
  const load = ['autocannon', '--json', '-c', '50', '-d', String(seconds), '-R', String(rate)];
  const command = besideTheProxies([...load, `http://${ADDRESS}:${proxy.port}/`]);
  const { stdout } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  return JSON.parse(stdout) as { latency: { p50: number; p99: number }; errors: number; non2xx: number };
}

function compare(
  title: string,
  contestants: readonly Contestant[],
  measure: (proxy: Contestant) => Load,
): void {
  console.log(`\n${title}`);
  let first: Load | undefined;
  for (const proxy of contestants) {
    const load = measure(proxy);
    first ??= load;
    const ratio = (load.requestsPerSecond / first.requestsPerSecond).toFixed(2);
    const cpuRatio = (load.requestsPerCpuSecond / first.requestsPerCpuSecond).toFixed(2);
    console.log(
      `  ${proxy.name.padEnd(20)} ${load.requestsPerSecond.toFixed(0).padStart(7)} (${ratio})` +
        `   per CPU second ${load.requestsPerCpuSecond.toFixed(0).padStart(7)} (${cpuRatio})   failed ${load.failures}`,
    );
  }
}

/** A connection that has had one answer and then says nothing. */
function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: ADDRESS, port });
    socket.once('error', reject);
    socket.once('data', () => resolve(socket));
    socket.write(`GET / HTTP/1.1\r\nHost: ${ADDRESS}\r\n\r\n`);
  });
}

/** Linux: VmRSS. */
function residentMib({ pids }: Contestant): number {
  return pids.reduce((sum, pid) => {
    const kibibytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + Number(kibibytes) / 1_024;
  }, 0);
}
