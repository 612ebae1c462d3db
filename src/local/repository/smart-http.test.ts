import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, tmpdir } from '../../platform/files.ts';
import { createHttpServer, listen, type HttpServer } from '../../platform/network.ts';
import { processIdentity } from '../../platform/process.ts';
import type { Git } from './git.ts';
import { SmartHttp } from './smart-http.ts';

let server: HttpServer;
let smartHttp: SmartHttp;

afterEach(() => server.close());

test.each(['git-receive-pack', 'git-upload-pack'])(
  'the answer of a %s that is killed half-way breaks off, so that no client waits for the rest',
  async service => {
    const url = await serve('printf begun; kill -KILL $$');
    const response = await call(url, service);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  },
);

test('a receive-pack that is killed leaves neither processes nor what it had received', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-smart-http-'));
  try {
    mkdirSync(join(folder, 'objects/tmp_objdir-incoming-a/pack'), { recursive: true });
    const url = await serve('sleep 60 & printf "$!"; kill -KILL $$', folder);
    const answer = (await call(url, 'git-receive-pack')).body!.getReader();
    const childId = Number(new TextDecoder().decode((await answer.read()).value));
    await expect(answer.read()).rejects.toThrow();
    await smartHttp.stop();
    await expect.poll(() => processIdentity(childId)).toBeUndefined();
    expect(readdirSync(join(folder, 'objects'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the answer of an upload-pack that fails and says so arrives whole', async () => {
  const url = await serve('printf "ERR no such thing"; exit 128');
  expect(await (await call(url, 'git-upload-pack')).text()).toBe('ERR no such thing');
});

test('a client that stops in the middle of its push is let go, and its git ends', async () => {
  const url = await serve('cat >/dev/null', '/nowhere', 200);
  const push = request(`${url}/git-receive-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request' },
  });
  const gone = new Promise(resolve => push.once('error', resolve));
  push.write('0');
  await gone;
  await smartHttp.stop();
});

async function serve(script: string, repositoryPath = '/nowhere', idleMs = 60_000): Promise<string> {
  const git = {
    repositoryPath,
    spawn: (argv: readonly string[], options: { stdio: 'pipe'[] }) =>
      spawn('/bin/sh', ['-c', script, ...argv], { stdio: options.stdio, detached: true }),
  } as unknown as Git;
  smartHttp = new SmartHttp({ git, clock: systemClock, idleMs, apply: () => new Promise(() => undefined) });
  server = createHttpServer((request, response) => {
    const sender = { kind: 'client', address: '127.0.0.1' } as const;
    smartHttp.serve(request, response, { path: request.url!, query: '', sender });
  });
  const port = await listen(server, { address: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${port}`;
}

function call(url: string, service: string): Promise<Response> {
  const headers = { 'content-type': `application/x-${service}-request` };
  return fetch(`${url}/${service}`, { method: 'POST', headers, body: '' });
}
