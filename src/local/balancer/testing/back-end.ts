import {
  createHttpServer,
  createTcpServer,
  listen,
  type HttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  type Socket,
} from '../../../platform/network.ts';
import type { TargetAddress } from '../target.ts';

const ADDRESS = '127.0.0.1';

export interface BackEnd extends TargetAddress {
  server: HttpServer;
  /** Requests so far, health checks not counted. */
  requests: IncomingMessage[];
  /** Open connections, health checks' among them. */
  connections: Set<Socket>;
  close(): Promise<void>;
}

/** A real HTTP server, healthy at `/health`; everything else is the handler's. */
export async function startBackEnd(
  id: string,
  handler: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end(id),
): Promise<BackEnd> {
  const requests: IncomingMessage[] = [];
  const server = createHttpServer((request, response) => {
    if (request.url === '/health') {
      response.end('ok');
      return;
    }
    requests.push(request);
    handler(request, response);
  });
  const connections = track(server);
  const port = await listen(server, { address: ADDRESS, port: 0 });
  return { id, address: ADDRESS, port, server, requests, connections, close: () => end(server, connections) };
}

/** A back end that speaks what the test makes it speak, to requests and health checks alike. */
export async function startRawBackEnd(
  id: string,
  onConnection: (socket: Socket) => void,
): Promise<TargetAddress & { close(): Promise<void> }> {
  const server = createTcpServer(socket => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const connections = track(server);
  const port = await listen(server, { address: ADDRESS, port: 0 });
  return { id, address: ADDRESS, port, close: () => end(server, connections) };
}

function track(server: Server): Set<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', socket => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  return connections;
}

function end(server: Server, connections: Set<Socket>): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    for (const socket of connections) socket.destroy();
  });
}
