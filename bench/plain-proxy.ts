import { Agent, createServer, request } from 'node:http';

/** The proxy that anyone would write first: node:http on both sides, kept-alive, streams piped. `<port> <target port>` */
const [port, targetPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

createServer((incoming, outgoing) => {
  const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress };
  const target = {
    host: '127.0.0.1',
    port: targetPort,
    method: incoming.method,
    path: incoming.url,
    headers,
    agent,
  };
  const forwarded = request(target, answer => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.writeHead(502).end());
  incoming.pipe(forwarded);
}).listen(port, '127.0.0.1');
