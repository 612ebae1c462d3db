import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CORRECTIONS, type Memory } from './moto-corrections.ts';

export interface Moto extends AsyncDisposable {
  /** Where Terraform is sent: the proxy. */
  endpoint: string;
  /** Names of the corrections that were made. */
  corrected: ReadonlySet<string>;
  /** Calls that moto does not know, as `Service.Action`: each is a gap of the emulation. */
  unknown: ReadonlySet<string>;
  /** ARNs of everything that has tags in a region. */
  tagged(region: string): Promise<string[]>;
}

/** Starts moto, and in front of it the proxy that mends its faults. Both end with the returned object. */
export async function startMoto(): Promise<Moto> {
  const process = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...globalThis.process.env, MOTO_ACCOUNT_ID: ACCOUNT_ID },
  });
  const upstream = await announcedPort(process);
  process.stderr.resume();
  const corrected = new Set<string>();
  const unknown = new Set<string>();
  const memory: Memory = new Map();
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing, { upstream, corrected, unknown, memory }).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    corrected,
    unknown,
    async tagged(region) {
      const response = await fetch(`http://127.0.0.1:${upstream}/`, {
        method: 'POST',
        headers: {
          'x-amz-target': 'ResourceGroupsTaggingAPI_20170126.GetResources',
          'content-type': 'application/x-amz-json-1.1',
          authorization: `AWS4-HMAC-SHA256 Credential=emulated/20260101/${region}/tagging/aws4_request`,
        },
        body: '{}',
      });
      const { ResourceTagMappingList } = (await response.json()) as {
        ResourceTagMappingList: { ResourceARN: string }[];
      };
      return ResourceTagMappingList.map(({ ResourceARN }) => ResourceARN);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    },
  };
}

/** The account that moto plays. */
const ACCOUNT_ID = '123456789012';

async function announcedPort(process: ChildProcess): Promise<number> {
  let text = '';
  for await (const chunk of process.stderr!.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const port = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`moto_server ended before it listened:\n${text}`);
}

interface Passage {
  upstream: number;
  corrected: Set<string>;
  unknown: Set<string>;
  memory: Memory;
}

async function pass(incoming: IncomingMessage, outgoing: ServerResponse, passage: Passage): Promise<void> {
  const given = await bytesOf(incoming);
  const target = targetOf(incoming, given);
  const applied = CORRECTIONS.filter(({ targets }) => targets.test(target));
  for (const { name } of applied) passage.corrected.add(name);
  const asked = applied.length === 0 ? {} : messageOf(given);
  const answer = applied.find(correction => correction.answer !== undefined)?.answer;
  if (answer !== undefined) {
    outgoing
      .writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      .end(JSON.stringify(answer(asked, passage.memory)));
    return;
  }
  const rewritesRequest = applied.filter(({ request }) => request !== undefined);
  const body =
    rewritesRequest.length === 0
      ? given
      : bytes(rewritesRequest.reduce((message, correction) => correction.request!(message), asked));
  const forwarded = request({
    port: passage.upstream,
    host: '127.0.0.1',
    method: incoming.method,
    path: incoming.url,
    headers: { ...incoming.headers, 'content-length': body.length },
  });
  forwarded.on('error', () => outgoing.destroy());
  forwarded.end(body);
  const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
  const received = await bytesOf(response);
  if (response.statusCode === 500) passage.unknown.add(target);
  const rewritesResponse = applied.filter(correction => correction.response !== undefined);
  const replied =
    rewritesResponse.length === 0 || !isSuccess(response)
      ? received
      : bytes(
          rewritesResponse.reduce(
            (message, correction) => correction.response!(message, asked, passage.memory),
            messageOf(received),
          ),
        );
  const headers = { ...response.headers };
  delete headers['transfer-encoding'];
  if (incoming.method !== 'HEAD') headers['content-length'] = String(replied.length);
  outgoing.writeHead(response.statusCode!, headers).end(replied);
}

/** What is asked for: services name it in a header, in a form, or by method and path. */
function targetOf({ headers, method, url }: IncomingMessage, body: Buffer): string {
  const header = headers['x-amz-target'];
  if (typeof header === 'string') return header;
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  const action = isForm ? new URLSearchParams(body.toString('utf8')).get('Action') : null;
  return action ?? `${method} ${url}`;
}

function isSuccess({ statusCode }: IncomingMessage): boolean {
  return Math.floor(statusCode! / 100) === 2;
}

/** Some answers, such as to a deletion, are empty. */
function messageOf(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Record<string, unknown>);
}

function bytes(message: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify(message));
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
