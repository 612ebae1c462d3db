import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CORRECTIONS, remember, type Correction, type Memory } from './moto-corrections.ts';

/** A call as the proxy knows it. */
export interface Call {
  /** As it is signed; absent where nothing is signed. */
  region: string | undefined;
  /** `CodeBuild_20161006.CreateProject`, `CreateVpc`, or by method and path `POST /2015-03-31/functions`. */
  target: string;
}

export interface ProxyState {
  /** moto's port. */
  upstream: number;
  /** Names of the corrections that were made. */
  corrected: Set<string>;
  /** Calls that moto failed at. */
  unknown: Set<string>;
  /** Whether a call is refused, as AWS refuses what a policy of the organisation denies. */
  refuses: (call: Call) => boolean;
  /** Sees every call, before anything is done about it. */
  onCall: (call: Call) => void;
}

/** What stands before moto: it mends its faults, and can refuse. */
export function createProxy(state: ProxyState): Server {
  const memory: Memory = new Map();
  const turns = new Turns();
  return createServer((incoming, outgoing) => {
    pass(incoming, outgoing, { state, memory, turns }).catch(error => {
      state.unknown.add(`${incoming.method} ${incoming.url}: ${String(error)}`);
      outgoing.destroy();
    });
  });
}

/**
 * moto answers each call in a thread of its own, and goes through collections that other threads add to, which Python
 * refuses: CreateRole fails where a role is made at the same time. So it gets one call at a time, which is no slower, for
 * only one of its threads ever runs.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { state, memory, turns }: { state: ProxyState; memory: Memory; turns: Turns },
): Promise<void> {
  const given = await bytesOf(incoming);
  const call = { region: regionOf(incoming), target: targetOf(incoming, given) };
  state.onCall(call);
  remember(call.target, call.region, memory);
  if (state.refuses(call)) {
    refuse(incoming, outgoing);
    return;
  }
  const applied = CORRECTIONS.filter(({ targets }) => targets.test(call.target));
  for (const { name } of applied) state.corrected.add(name);
  const asked = applied.some(readsMessages) ? questionOf(incoming, given) : {};
  for (const correction of applied) {
    const answer = correction.answer?.(asked, memory, call.region);
    if (answer === undefined) continue;
    const [type, text] =
      typeof answer === 'string'
        ? ['text/xml', answer]
        : ['application/x-amz-json-1.1', JSON.stringify(answer)];
    outgoing.writeHead(200, { 'content-type': type }).end(text);
    return;
  }
  const body = requestTo(given, applied, (correction, message) =>
    correction.request!(message, memory, call.target),
  );
  const path = applied.reduce((given, correction) => correction.path?.(given) ?? given, incoming.url!);
  const [response, received] = await turns.take(() =>
    forward(incoming, body, { port: state.upstream, path }),
  );
  if (response.statusCode === 500) state.unknown.add(call.target);
  const replied = isSuccess(response)
    ? responseOf(textOf(received, given, { applied, memory }), applied, (correction, message) =>
        correction.response!(message, asked, memory, call.target),
      )
    : received;
  const headers = { ...response.headers };
  delete headers['transfer-encoding'];
  if (incoming.method !== 'HEAD') headers['content-length'] = String(replied.length);
  outgoing.writeHead(response.statusCode!, headers).end(replied);
}

function readsMessages({ answer, request, response }: Correction): boolean {
  return answer !== undefined || request !== undefined || response !== undefined;
}

type Mend = (correction: Correction, message: Record<string, unknown>) => Record<string, unknown>;

function requestTo(given: Buffer, applied: readonly Correction[], mend: Mend): Buffer {
  return through(
    given,
    applied.filter(correction => correction.request !== undefined),
    mend,
  );
}

function responseOf(received: Buffer, applied: readonly Correction[], mend: Mend): Buffer {
  return through(
    received,
    applied.filter(correction => correction.response !== undefined),
    mend,
  );
}

function textOf(
  received: Buffer,
  given: Buffer,
  { applied, memory }: { applied: readonly Correction[]; memory: Memory },
): Buffer {
  const mending = applied.filter(correction => correction.text !== undefined);
  if (mending.length === 0) return received;
  const asked = given.toString('utf8');
  return Buffer.from(
    mending.reduce((text, correction) => correction.text!(text, asked, memory), received.toString('utf8')),
  );
}

function through(body: Buffer, mending: readonly Correction[], mend: Mend): Buffer {
  if (mending.length === 0) return body;
  const mended = mending.reduce((message, correction) => mend(correction, message), messageOf(body));
  // What has no body gets none.
  return body.length === 0 && Object.keys(mended).length === 0 ? body : bytes(mended);
}

async function forward(
  { method, headers }: IncomingMessage,
  body: Buffer,
  { port, path }: { port: number; path: string },
): Promise<[IncomingMessage, Buffer]> {
  const forwarded = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: { ...headers, 'content-length': body.length },
  });
  forwarded.end(body);
  const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
  return [response, await bytesOf(response)];
}

/** Each protocol has its own form of a refusal. */
function refuse({ headers }: IncomingMessage, outgoing: ServerResponse): void {
  const message = 'with an explicit deny in a service control policy';
  const isJson = headers['x-amz-target'] !== undefined;
  outgoing
    .writeHead(isJson ? 400 : 403, { 'content-type': isJson ? 'application/x-amz-json-1.1' : 'text/xml' })
    .end(
      isJson
        ? JSON.stringify({ __type: 'AccessDeniedException', message })
        : `<Response><Errors><Error><Code>AccessDenied</Code><Message>${message}</Message></Error></Errors></Response>`,
    );
}

function regionOf({ headers }: IncomingMessage): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
}

/** What is asked for: services name it in a header, in a form, or by method and path. */
function targetOf({ headers, method, url }: IncomingMessage, body: Buffer): string {
  const header = headers['x-amz-target'];
  if (typeof header === 'string') return header;
  const action = isForm(headers) ? new URLSearchParams(body.toString('utf8')).get('Action') : null;
  return action ?? `${method} ${url}`;
}

function questionOf({ headers }: IncomingMessage, body: Buffer): Record<string, unknown> {
  return isForm(headers) ? Object.fromEntries(new URLSearchParams(body.toString('utf8'))) : messageOf(body);
}

function isForm(headers: IncomingMessage['headers']): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
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
