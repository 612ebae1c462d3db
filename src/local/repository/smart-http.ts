/**
 * Git's smart HTTP (gitprotocol-http), as `git http-backend` serves it but without CGI: the bytes go straight
 * between the sockets and git's pipes, with back-pressure, so that a push of any size takes constant memory.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SECOND_MS } from '../../core/duration.ts';
import type { Clock } from '../../platform/clock.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import { sendSignalToGroup, type ChildProcess } from '../../platform/process.ts';
import { encodePacket, FLUSH_PACKET } from '../../wire/git/pkt-line.ts';
import type { ProcReceiveRequest } from '../../wire/git/proc-receive.ts';
import { removeHalfReceived } from './bare-repository.ts';
import { gitComplaint, type Git } from './git.ts';
import { converseWithHook } from './receive-session.ts';
import type { PushOutcome } from './ref-writer.ts';
import { NEVER_CACHE, sendText } from './send-text.ts';
import type { Sender } from './sender.ts';

type GitService = 'git-upload-pack' | 'git-receive-pack';

export interface SmartHttpParts {
  git: Git;
  clock: Clock;
  /** A conversation in which neither side says anything for this long is over. Git's own say something every five seconds. */
  idleMs: number;
  /** Makes the ref updates of one push. `signal` aborts when the sender is gone. */
  apply(request: ProcReceiveRequest, sender: Sender, signal: AbortSignal): Promise<PushOutcome>;
}

/** From letting a git end to making it end. */
const END_GRACE_MS = 5 * SECOND_MS;

const SERVICE_BY_PATH: Record<string, GitService> = {
  '/git-upload-pack': 'git-upload-pack',
  '/git-receive-pack': 'git-receive-pack',
};

export class SmartHttp {
  readonly #parts: SmartHttpParts;
  readonly #children = new Map<ChildProcess, Promise<void>>();
  /** A receive-pack was killed and has not tidied up. */
  #isUntidy = false;
  #tidying: Promise<void> = Promise.resolve();

  constructor(parts: SmartHttpParts) {
    this.#parts = parts;
  }

  /** Serves `path` (what follows the repository's URL); false where smart HTTP knows no such path. */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { path: string; query: string; sender: Sender },
  ): boolean {
    const { path, query, sender } = asked;
    if (path === '/info/refs') {
      this.#advertise(request, response, new URLSearchParams(query).get('service'));
      return true;
    }
    const service = Object.hasOwn(SERVICE_BY_PATH, path) ? SERVICE_BY_PATH[path] : undefined;
    if (service === undefined) return false;
    this.#call(request, response, service, sender);
    return true;
  }

  /** Ends every git that serves a client. */
  async stop(): Promise<void> {
    for (const child of this.#children.keys()) this.#end(child);
    await Promise.all(this.#children.values());
    await this.#tidying;
  }

  #advertise(request: IncomingMessage, response: ServerResponse, service: string | null): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'Only GET is served here.', { allow: 'GET, HEAD' });
    } else if (service !== 'git-upload-pack' && service !== 'git-receive-pack') {
      sendText(response, 403, 'This client asks in the dumb HTTP protocol; use git 1.6.6 or newer.');
    } else {
      const protocol = protocolOf(request, service);
      const child = this.#spawn(service, ['--http-backend-info-refs'], protocol);
      child.stdin!.end();
      // Protocol version 2 has no such first line (gitprotocol-v2, "HTTP Transport").
      const isVersion2 = /(?:^|:)version=2(?:$|:)/.test(protocol ?? '');
      const head = Buffer.concat([encodePacket(`# service=${service}\n`), FLUSH_PACKET]);
      this.#answer(child, response, `application/x-${service}-advertisement`, isVersion2 ? undefined : head);
    }
  }

  #call(request: IncomingMessage, response: ServerResponse, service: GitService, sender: Sender): void {
    const expectedType = `application/x-${service}-request`;
    if (request.method !== 'POST') {
      sendText(response, 405, 'Only POST is served here.', { allow: 'POST' });
    } else if (request.headers['content-type'] !== expectedType) {
      sendText(response, 415, `The request must be of type ${expectedType}.`);
    } else {
      response.setTimeout(this.#parts.idleMs, () => response.destroy());
      const child = this.#spawn(service, [], protocolOf(request, service));
      feed(request, response, child.stdin!);
      if (service === 'git-receive-pack') this.#listenToHook(child, response, sender);
      this.#answer(child, response, `application/x-${service}-result`, undefined);
    }
  }

  #spawn(service: GitService, flags: readonly string[], protocol: string | undefined): ChildProcess {
    const { git } = this.#parts;
    const stdio = Array<'pipe'>(service === 'git-receive-pack' ? 5 : 3).fill('pipe');
    const argv = [service.slice('git-'.length), '--stateless-rpc', ...flags, git.repositoryPath];
    const child = git.spawn(argv, {
      stdio,
      ...(protocol === undefined ? {} : { environment: { GIT_PROTOCOL: protocol } }),
    });
    const ended = new Promise<void>(resolve => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    this.#children.set(child, ended);
    child.once('exit', (_code, signal) => signal !== null && this.#endRest(child));
    void ended.then(() => {
      this.#children.delete(child);
      if (this.#isUntidy && ![...this.#children.keys()].some(isReceiving)) this.#tidy();
    });
    return child;
  }

  /** A git that was killed leaves its own children (which hold its pipes open), and, receiving, what it had got. */
  #endRest(child: ChildProcess): void {
    if (child.pid !== undefined) sendSignalToGroup(child.pid, 'SIGKILL');
    this.#isUntidy ||= isReceiving(child);
  }

  #tidy(): void {
    this.#isUntidy = false;
    this.#tidying = removeHalfReceived(this.#parts.git.repositoryPath).catch(() => {
      // It only takes room, and the region's next start tries again.
    });
  }

  #listenToHook(child: ChildProcess, response: ServerResponse, sender: Sender): void {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    converseWithHook(child.stdio[3] as Duplex, child.stdio[4] as Writable, request =>
      this.#parts.apply(request, sender, gone.signal),
    );
  }

  /**
   * Nothing is sent before git says something, so that a git that fails at once becomes an honest 500. One that was
   * cut off later must not look complete: `git push` would wait for ever for the rest of a whole, short answer.
   */
  #answer(
    child: ChildProcess,
    response: ServerResponse,
    contentType: string,
    head: Buffer | undefined,
  ): void {
    const complaint = collectStart(child.stderr!);
    const begin = () => {
      response.writeHead(200, { 'content-type': contentType, ...NEVER_CACHE });
      if (head) response.write(head);
    };
    child.stdout!.once('data', (bytes: Buffer) => {
      if (response.headersSent) return;
      begin();
      response.write(bytes);
      child.stdout!.pipe(response, { end: false });
    });
    child.once('error', error => sendText(response, 500, `git could not be started: ${error.message}`));
    child.once('close', code => {
      // A client that is about to send much asks first with an empty request, which git answers with nothing.
      if (code === 0 && !response.headersSent) begin();
      // An upload-pack that fails by itself has told the client so.
      const isCutOff = code === null || (isReceiving(child) && code !== 0);
      if (response.headersSent && isCutOff) response.destroy();
      else if (response.headersSent) response.end();
      else sendText(response, 500, `git failed: ${gitComplaint(complaint())}`);
    });
    response.once('close', () => {
      if (!response.writableFinished) this.#end(child);
    });
  }

  /**
   * Without its input a receive-pack ends by itself and tidies up; a signal could meet it and its index-pack in the
   * middle of that. An upload-pack may be busy for long before it notices, so it is told. Signals go to the whole
   * group, since pack-objects and index-pack are git's own children.
   */
  #end(child: ChildProcess): void {
    const groupId = child.pid;
    if (groupId === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.stdin!.destroy();
    child.stdout!.resume();
    if (!isReceiving(child)) sendSignalToGroup(groupId, 'SIGTERM');
    const timer = this.#parts.clock.after(END_GRACE_MS, () => sendSignalToGroup(groupId, 'SIGKILL'));
    child.once('close', () => timer.cancel());
  }
}

function isReceiving(child: ChildProcess): boolean {
  return child.spawnargs.includes('receive-pack');
}

/** Pushes have no version 2; git itself asks for version 0 or 1 there, and others are told version 0. */
function protocolOf(request: IncomingMessage, service: GitService): string | undefined {
  const asked = request.headers['git-protocol'];
  if (typeof asked !== 'string' || !/^[a-z0-9=:]{1,64}$/.test(asked)) return undefined;
  return service === 'git-receive-pack' && asked.includes('version=2') ? undefined : asked;
}

/**
 * Pipes the request's body, unzipped where it is zipped, into git. A git that ends early (it refused the push)
 * still lets the client send its whole body, or the client would never read why.
 */
function feed(request: IncomingMessage, response: ServerResponse, stdin: Writable): void {
  const isZipped = /^(?:x-)?gzip$/i.test(request.headers['content-encoding'] ?? '');
  const body: Readable = isZipped ? request.pipe(createGunzip()) : request;
  body.on('error', () => {
    sendText(response, 400, 'The request body is not valid gzip.');
    stdin.destroy();
  });
  stdin.on('error', () => {
    body.unpipe(stdin);
    body.resume();
  });
  body.pipe(stdin);
}

function collectStart(stream: Readable, limit = 4_000): () => string {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    if (text.length < limit) text += bytes.toString('utf8');
  });
  return () => text;
}
