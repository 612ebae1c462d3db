// The application that the end-to-end tests deliver: it can be slow, take uploads, hold WebSockets and misbehave on request.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { behaviour } from './behaviour.mjs';

if (behaviour === 'exits-at-once') {
  console.error('Error: the price list is missing');
  process.exit(3);
}

let isHealthy = behaviour !== 'never-healthy';
const sockets = new Set();
/** What `leaks` never lets go. */
const kept = [];

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/health') answer(response, isHealthy ? 200 : 503, isHealthy ? 'ok' : 'not well');
  else if (url.pathname === '/slow') answerLater(response, Number(url.searchParams.get('ms')));
  else if (url.pathname === '/upload') upload(request, response);
  else answer(response, 200, JSON.stringify({ release: process.env.RELEASE, task: process.env.TASK_ID }));
});

server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  socket.on('data', frame => echo(socket, frame));
});

server.listen(Number(process.env.PORT), () => {
  console.log(`listening on ${process.env.PORT}`);
  if (behaviour === 'sickens') setTimeout(() => (isHealthy = false), 1_500);
  if (behaviour === 'leaks') leak();
});

process.on('SIGTERM', () => {
  if (behaviour === 'ignores-sigterm') return;
  server.close(() => process.exit(0));
});

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(body);
}

function answerLater(response, delayMs) {
  const timer = setTimeout(() => answer(response, 200, 'slow but sure'), delayMs);
  response.on('close', () => clearTimeout(timer));
}

function upload(request, response) {
  const hash = createHash('sha256');
  request.on('data', chunk => hash.update(chunk));
  request.on('end', () => answer(response, 200, hash.digest('hex')));
}

/** Echoes one short masked text frame (RFC 6455 section 5.2); answers a close with a close. */
function echo(socket, frame) {
  const opcode = frame[0] & 0x0f;
  const length = frame[1] & 0x7f;
  const mask = frame.subarray(2, 6);
  const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, index) => byte ^ mask[index % 4]));
  socket.write(Buffer.concat([Buffer.from([0x80 | opcode, length]), text]));
  if (opcode === 8) socket.end();
}

/** Takes 20 MB more, and touches it, as often as there is nothing else to do, until the limit ends it. */
function leak() {
  kept.push(Buffer.alloc(20 * 1024 * 1024, 1));
  if (kept.length < 60) setImmediate(leak);
}
