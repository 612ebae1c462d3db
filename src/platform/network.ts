import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import type { Agent, AgentOptions } from 'node:http';

export { connect, createServer as createTcpServer, isIP, Server, Socket } from 'node:net';
export type {
  Agent,
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server as HttpServer,
  ServerResponse,
} from 'node:http';

/*
 * Not imported: an import reads every export of a built-in module, and those of `node:http` that are there for browsers'
 * sake (WebSocket…) load all of undici, 40 ms of processor time for each process that starts. (`node:process` is not
 * imported either: that opens standard input.)
 */
const http = process.getBuiltinModule('node:http');
export const { createServer: createHttpServer, request: httpRequest } = http;

/** Connections that are kept between requests, for `httpRequest`. */
export function createHttpAgent(options: AgentOptions): Agent {
  return new http.Agent(options);
}

export interface Endpoint {
  address: string;
  port: number;
}

/** Starts listening and tells the port that was given (for port 0). Rejects with the system's error (EADDRINUSE…). */
export function listen(server: Server, endpoint: Endpoint): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.address, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** True where somebody takes connections on a port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** True where `endpoint` can be listened on now; the answer is only as good as the moment it was asked. */
export async function isFree(endpoint: Endpoint): Promise<boolean> {
  const server = createTcpServer();
  try {
    await listen(server, endpoint);
  } catch {
    return false;
  }
  await new Promise(resolve => server.close(resolve));
  return true;
}

/** A port of `address` that nothing listens on at this moment. */
export async function freePort(address: string): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server, { address, port: 0 });
  await new Promise(resolve => server.close(resolve));
  return port;
}
