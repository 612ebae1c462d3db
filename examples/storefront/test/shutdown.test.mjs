import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';

test('SIGTERM: no new connection, the request under way is answered, exit 0', async () => {
  const server = spawn(process.execPath, [new URL('../server.mjs', import.meta.url).pathname], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(/port (\d+)/.exec(await nextOutput(server))[1]);
  const client = connect(port, '127.0.0.1');
  client.setEncoding('utf8');
  // The server says 100 when it has the request's head: from then on the request has begun.
  client.write('POST /basket HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n');
  const [interim] = await once(client, 'data');
  assert.match(interim, /^HTTP\/1\.1 100 /);

  server.kill('SIGTERM');
  assert.match(await nextOutput(server), /SIGTERM/);
  const [refusal] = await once(connect(port, '127.0.0.1'), 'error');
  assert.equal(refusal.code, 'ECONNREFUSED');

  client.write('product=anchor');
  const [answer] = await once(client, 'data');
  assert.match(answer, /^HTTP\/1\.1 303 /);
  assert.match(answer, /connection: close/i);
  const [code] = await once(server, 'exit');
  assert.equal(code, 0);
});

async function nextOutput(child) {
  const ended = once(child, 'exit').then(([code]) => assert.fail(`the server ended with exit code ${code}`));
  const [chunk] = await Promise.race([once(child.stdout, 'data'), ended]);
  return chunk.toString();
}
