/* Debian's docker-registry (distribution 2.8, filesystem storage) on a free port, for the benchmarks beside it. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../src/platform/network.ts';

export interface DockerRegistry {
  /** `127.0.0.1:41234`. */
  host: string;
  stop(): void;
}

export async function startDockerRegistry(folder: string): Promise<DockerRegistry> {
  const host = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const settings = join(folder, 'docker-registry.yml');
  const storage = `storage:\n  filesystem:\n    rootdirectory: ${join(folder, 'docker-registry')}\n`;
  const log = 'log:\n  level: error\n  accesslog:\n    disabled: true\n';
  await writeFile(settings, `version: 0.1\n${log}${storage}http:\n  addr: ${host}\n`);
  const child = spawn('docker-registry', ['serve', settings], { stdio: 'ignore' });
  await answers(`http://${host}/v2/`);
  return { host, stop: () => void child.kill('SIGKILL') };
}

/** Resolves when a GET of the URL succeeds. */
export async function answers(url: string): Promise<void> {
  const isAnswered = () =>
    fetch(url).then(
      answer => answer.ok,
      () => false,
    );
  while (!(await isAnswered()));
}
