/*
 * Push and pull of a 200 MB image with skopeo: Tandem's registry beside Debian's docker-registry (distribution 2.8,
 * filesystem storage), in the same run, turn by turn, new content every round. Tandem syncs every blob to disk
 * before it answers; docker-registry does not. Run: node bench/registry.ts
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { createRegistry } from '../src/local/registry/registry.ts';
import { contentOf, manifestOf, writeLayout, type TestImage } from '../src/local/registry/testing/image.ts';
import { testContext } from '../src/local/testing/context.ts';
import { createHttpServer, listen } from '../src/platform/network.ts';
import { runCommand } from '../src/platform/process.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP } from '../src/wire/oci/media-types.ts';
import { startDockerRegistry, type DockerRegistry } from './docker-registry.ts';

const ROUNDS = 3;
const LAYERS = 4;
const LAYER_BYTES = 50_000_000;

if (process.argv[2] === 'serve') await serve(process.argv[3]!);
else await measure();

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-bench-registry-'));
  const tandem = spawn(process.execPath, [import.meta.filename, 'serve', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peer: DockerRegistry | undefined;
  try {
    const tandemHost = await new Promise<string>(resolve => {
      tandem.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
    });
    peer = await startDockerRegistry(folder);
    const hosts = { tandem: tandemHost, 'docker-registry': peer.host };
    const times = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const layout = join(folder, 'layout');
      await writeLayout(layout, makeImage(), 'v1');
      const inTurn = round % 2 === 0 ? Object.entries(hosts) : Object.entries(hosts).toReversed();
      for (const [name, host] of inTurn) {
        const image = `docker://${host}/bench${round}:v1`;
        const out = join(folder, 'out');
        const push = await skopeo('--dest-tls-verify=false', `oci:${layout}:v1`, image);
        const pull = await skopeo('--src-tls-verify=false', image, `dir:${out}`);
        await rm(out, { recursive: true });
        record(times, `${name} push`, push);
        record(times, `${name} pull`, pull);
      }
      await rm(layout, { recursive: true });
    }
    report(times);
  } finally {
    tandem.kill('SIGKILL');
    peer?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(times: Map<string, number[]>): void {
  const megabytes = (LAYERS * LAYER_BYTES) / 1e6;
  for (const operation of ['push', 'pull']) {
    const [own, other] = ['tandem', 'docker-registry'].map(name =>
      median(times.get(`${name} ${operation}`)!),
    );
    for (const [name, seconds] of [
      ['tandem', own!],
      ['docker-registry', other!],
    ] as const) {
      const rate = (megabytes / seconds).toFixed(0);
      console.log(
        `${operation} ${megabytes} MB  ${name.padEnd(16)} ${seconds.toFixed(2).padStart(6)} s  ${rate.padStart(5)} MB/s`,
      );
    }
    console.log(`${operation} ratio (docker-registry time / tandem time): ${(other! / own!).toFixed(2)}`);
  }
}

/** Random layers, so that no compression and no cache of skopeo's helps either side. */
function makeImage(): TestImage {
  const layers = Array.from({ length: LAYERS }, () =>
    contentOf(gzipSync(randomBytes(LAYER_BYTES), { level: 1 }), OCI_LAYER_GZIP),
  );
  const rootfs = { type: 'layers', diff_ids: layers.map(layer => layer.digest) };
  const config = contentOf(
    JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }),
    OCI_CONFIG,
  );
  return { config, layers, manifest: manifestOf(config, layers) };
}

async function skopeo(...argv: string[]): Promise<number> {
  const started = performance.now();
  const { exitCode, stderr } = await runCommand('skopeo', ['--insecure-policy', 'copy', ...argv]);
  if (exitCode !== 0) throw new Error(stderr);
  return (performance.now() - started) / 1000;
}

async function serve(folder: string): Promise<void> {
  const registry = createRegistry(testContext(folder));
  await registry.start();
  const server = createHttpServer((request, response) => void registry.handle(request, response));
  const port = await listen(server, { address: '127.0.0.1', port: 0 });
  process.stdout.write(`127.0.0.1:${port}\n`);
}

function record(times: Map<string, number[]>, key: string, seconds: number): void {
  times.set(key, [...(times.get(key) ?? []), seconds]);
}

function median(values: number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!;
}
