/**
 * Requests a second through the load balancer, beside nginx, HAProxy and a plain Node.js proxy: small answers on
 * kept-alive connections, one back end that is not the bottleneck. Every proxy has one thread and, where there are two
 * cores and `taskset`, a core that it shares with nobody of this benchmark; the load and the back end have the rest.
 * Proxies take turns within each round, so that a noisy machine is noisy to all; the median of the rounds counts.
 * "per CPU second" goes by the processor time that the proxy itself used, which noise touches least.
 *
 *     node bench/balancer.ts [--seconds 3] [--rounds 3] [--connections 50]
 */
import { parseArgs } from 'node:util';
import {
  ADDRESS,
  endContest,
  has,
  haproxy,
  isPinned,
  nginxProxy,
  plainProxy,
  startNginx,
  tandem,
  tandemLogging,
  wrk,
  type Contestant,
  type Load,
} from './balancer-contestants.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '50' },
  },
});

try {
  await main();
} finally {
  await endContest();
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
    await nginxProxy(backEndPort, true),
    await tandemLogging(backEndPort),
  ];
  const measurements = new Map<Contestant, Load[]>(contestants.map(contestant => [contestant, []]));
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

function measure(contestant: Contestant, seconds: number): Load {
  return wrk(contestant, { connections: Number(options.connections), seconds });
}

function print(measurements: Map<Contestant, Load[]>): void {
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
