import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** What users of a service do all the time, and what came of it, counted at the client. */
interface LoadResult {
  /** Every response or echo that came back whole and right. */
  answered: Record<'quick' | 'slow' | 'uploads' | 'echoes', number>;
  /** One line for each that did not. */
  lost: string[];
}

export interface Load {
  /** Lets everything in flight finish, then tells. */
  stop(): Promise<LoadResult>;
}

const SLOW_REQUEST_MS = 10_000;
const UPLOAD_CHUNKS = 20;
const UPLOAD_CHUNK_BYTES = 100_000;
const MESSAGES_PER_SOCKET = 40;

/**
 * Keep-alive requests one after another, requests that take ten seconds, uploads that trickle, and WebSockets that
 * talk for a while and say goodbye: each kind by several clients at once, until stopped.
 */
export function startLoad(url: string): Load {
  const agent = new Agent({ keepAlive: true });
  const result: LoadResult = { answered: { quick: 0, slow: 0, uploads: 0, echoes: 0 }, lost: [] };
  let isStopping = false;

  const repeat = async (kind: keyof LoadResult['answered'], once: () => Promise<number>) => {
    while (!isStopping) {
      try {
        result.answered[kind] += await once();
      } catch (error) {
        result.lost.push(`${kind}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const clients = [
    ...Array.from({ length: 8 }, () => repeat('quick', () => get(agent, `${url}/`))),
    ...Array.from({ length: 3 }, () => repeat('slow', () => get(agent, `${url}/slow?ms=${SLOW_REQUEST_MS}`))),
    ...Array.from({ length: 2 }, () => repeat('uploads', () => upload(agent, `${url}/upload`))),
    ...Array.from({ length: 3 }, () => repeat('echoes', () => converse(url))),
  ];
  return {
    async stop() {
      isStopping = true;
      await Promise.all(clients);
      agent.destroy();
      return result;
    },
  };
}

function get(agent: Agent, url: string): Promise<number> {
  return exchange(agent, url, 'GET', outgoing => void outgoing.end()).then(() => 1);
}

async function upload(agent: Agent, url: string): Promise<number> {
  const chunks = Array.from({ length: UPLOAD_CHUNKS }, () => randomBytes(UPLOAD_CHUNK_BYTES));
  const expected = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
  const body = await exchange(agent, url, 'POST', async outgoing => {
    for (const chunk of chunks) {
      outgoing.write(chunk);
      await delay(50);
    }
    outgoing.end();
  });
  if (body !== expected) throw new Error(`the upload arrived altered: ${body}`);
  return 1;
}

function exchange(
  agent: Agent,
  url: string,
  method: string,
  send: (outgoing: ReturnType<typeof request>) => void | Promise<void>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('error', reject);
      response.once('close', () => {
        if (response.statusCode === 200 && response.complete) resolve(body);
        else
          reject(
            new Error(`${method} ${url} answered ${response.statusCode}, complete: ${response.complete}`),
          );
      });
    });
    outgoing.once('error', reject);
    void send(outgoing);
  });
}

function converse(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http:', 'ws:'));
    let echoed = 0;
    socket.on('open', () => socket.send('message 0'));
    socket.on('message', data => {
      const echo = (data as Buffer).toString();
      if (echo !== `message ${echoed}`) reject(new Error(`a wrong echo: ${echo}`));
      echoed += 1;
      if (echoed === MESSAGES_PER_SOCKET) socket.close();
      else setTimeout(() => socket.send(`message ${echoed}`), 100);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (echoed === MESSAGES_PER_SOCKET) resolve(echoed);
      else reject(new Error(`the WebSocket closed after ${echoed} of ${MESSAGES_PER_SOCKET} messages`));
    });
  });
}
