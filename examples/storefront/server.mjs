import { createServer } from 'node:http';
import { handleRequest } from './app/handle-request.mjs';
import { readIdentity } from './app/identity.mjs';

/** ECS sends SIGKILL 30 s after SIGTERM; whatever still hangs then is cut a little earlier, in good order. */
const LONGEST_DRAIN_MS = 28_000;

/** Longer than the load balancer's idle timeout (60 s), so that it never sends a request into a closing connection. */
const KEEP_ALIVE_MS = 65_000;

const identity = await readIdentity(process.env);
const answering = new Set();

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  answering.add(response);
  response.on('close', () => {
    answering.delete(response);
    if (!server.listening) server.closeIdleConnections();
  });
  if (!server.listening) response.setHeader('connection', 'close');
  handleRequest(request, response, identity);
});

server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`storefront ${identity.version} listens on port ${server.address().port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, drain);

/** Takes no new connection, answers every request that has begun, then ends. */
function drain(signal) {
  server.close(() => process.exit(0));
  for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close');
  console.log(`${signal}: finishing ${answering.size} request(s)`);
  setTimeout(() => process.exit(0), LONGEST_DRAIN_MS).unref();
}
