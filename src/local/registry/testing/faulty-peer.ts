import {
  createHttpServer,
  httpRequest,
  listen,
  type HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from '../../../platform/network.ts';

/** What goes wrong with one answer; `undefined`: nothing. */
export interface Fault {
  /** Drops the connection after so many bytes of the body. */
  breakAfterBytes?: number;
  /** Changes the first byte of the body. */
  isCorrupt?: boolean;
  /** Adds a byte that the peer never had, and leaves Content-Length out. */
  isLonger?: boolean;
  status?: number;
  /** Takes the request and never answers. */
  isSilent?: boolean;
}

/** A proxy before a registry, which fails as told and remembers what was asked. */
export class FaultyPeer {
  readonly requests: { path: string; range: string | undefined }[] = [];
  bodyBytes = 0;
  fault: (path: string, count: number) => Fault | undefined = () => undefined;
  readonly #server: HttpServer;
  #port = 0;
  readonly #target: string;
  readonly #counts = new Map<string, number>();

  private constructor(target: string) {
    this.#target = target;
    this.#server = createHttpServer((request, response) => this.#serve(request, response));
  }

  static async start(target: string): Promise<FaultyPeer> {
    const peer = new FaultyPeer(target);
    peer.#port = await listen(peer.#server, { address: '127.0.0.1', port: 0 });
    return peer;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    const count = (this.#counts.get(path) ?? 0) + 1;
    this.#counts.set(path, count);
    this.requests.push({ path, range: request.headers.range });
    const fault = this.fault(path, count) ?? {};
    if (fault.isSilent) return;
    const forwarded = httpRequest(
      `${this.#target}${path}`,
      { headers: request.headers, agent: false },
      answer => {
        const { 'content-length': length, ...headers } = answer.headers;
        response.writeHead(fault.status ?? answer.statusCode ?? 500, {
          ...headers,
          ...(fault.isLonger || length === undefined ? {} : { 'content-length': length }),
        });
        this.#forward(answer, response, fault);
      },
    );
    forwarded.on('error', () => response.destroy());
    forwarded.end();
  }

  #forward(answer: IncomingMessage, response: ServerResponse, fault: Fault): void {
    let sent = 0;
    answer.on('data', (chunk: Buffer) => {
      const room = (fault.breakAfterBytes ?? Infinity) - sent;
      const bytes = Buffer.from(chunk.subarray(0, Math.min(chunk.length, room)));
      if (fault.isCorrupt && sent === 0 && bytes.length > 0) bytes[0]! ^= 0xff;
      sent += bytes.length;
      this.bodyBytes += bytes.length;
      if (bytes.length < chunk.length) {
        answer.destroy();
        response.write(bytes, () => response.destroy());
      } else if (!response.write(bytes)) {
        answer.pause();
        response.once('drain', () => answer.resume());
      }
    });
    answer.on('end', () => {
      if (fault.isLonger) response.write('!');
      response.end();
    });
    response.on('close', () => answer.destroy());
  }
}
