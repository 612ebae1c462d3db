import {
  type Agent,
  connect,
  httpRequest,
  type IncomingHttpHeaders,
  type Socket,
} from '../../../platform/network.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  body: string;
}

export interface RequestOptions {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
}

/** One request by Node's own client; rejects where the connection breaks. */
export function request(port: number, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const sent = httpRequest({ host: '127.0.0.1', port, agent: false, ...rest });
    sent.on('error', reject);
    sent.on('response', response => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          trailers: response.trailers,
          body: Buffer.concat(chunks).toString('latin1'),
        });
      });
    });
    sent.end(body);
  });
}

/** A client that sends bytes as they are, and sees bytes as they come. */
export class RawClient {
  readonly socket: Socket;
  /** All that has come. */
  text = '';
  isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', text => {
      this.text += String(text);
      this.#look();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('end', () => this.socket.end());
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#look();
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Resolves when what has come satisfies `condition`; rejects where the connection ends before. */
  until(condition: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const isMet = condition(this.text);
        if (!isMet && !this.isClosed) return;
        this.#waiting.delete(look);
        if (isMet) resolve(this.text);
        else reject(new Error(`the connection ended after: ${this.text}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with all that came, when the other side has closed. */
  closed(): Promise<string> {
    return new Promise(resolve => {
      const look = () => {
        if (!this.isClosed) return;
        this.#waiting.delete(look);
        resolve(this.text);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
