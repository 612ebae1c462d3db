import { join } from 'node:path';
import type { ConfigInput } from '../../../model/config/schema.ts';
import type { RegionEvent } from '../../../model/event.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { mkdirSync, mkdtempSync, rmSync, tmpdir } from '../../../platform/files.ts';
import { createHttpServer, listen, type HttpServer } from '../../../platform/network.ts';
import { environment, runCommand, type CommandResult } from '../../../platform/process.ts';
import { testContext } from '../../testing/context.ts';
import type { ServiceContext } from '../../context.ts';
import type { RefChange, RefChangeListener, Repository } from '../contract.ts';
import { createRepository } from '../repository.ts';

export interface TestRegion {
  readonly name: string;
  readonly gitUrl: string;
  readonly endpoint: string;
  /** Of the present incarnation. */
  readonly context: ServiceContext;
  readonly repository: Repository;
  /** What the default listener was told. */
  readonly changes: RefChange[];
  start(listener?: RefChangeListener): Promise<void>;
  stop(): Promise<void>;
  /** Nothing answers any more, though the port stays ours; what the region does by itself goes on. */
  cutOff(): void;
  reconnect(): void;
  /** Only people reach it; with every region isolated, none reaches another. */
  isolate(): void;
  rejoin(): void;
  events(type: string): Promise<RegionEvent[]>;
  /** Resolves with the first event of this type, past or future, that fits. */
  untilEvent(type: string, fits?: (event: RegionEvent) => boolean): Promise<RegionEvent>;
}

export interface TestRegionsOptions {
  names?: readonly string[];
  config?: Partial<ConfigInput>;
  /** Default: ten times as fast as the system's, since retries and forwarding take seconds. */
  clock?: Clock;
  /** Where the others reach a region, given its own endpoint; default: there. */
  reachedAt?(endpoint: string): Promise<string>;
}

const HASTE = 10;
const hastyStart = systemClock.now();

const hastyClock: Clock = {
  ...systemClock,
  now: () => hastyStart + (systemClock.now() - hastyStart) * HASTE,
  after: (delayMs, callback, options) => systemClock.after(delayMs / HASTE, callback, options),
};

/** Regions over real HTTP on loopback, each with its own folder and database, not started yet. */
export class TestRegions {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-repository-'));
  readonly regions: TestRegion[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #clones = 0;

  static async create(options: TestRegionsOptions = {}): Promise<TestRegions> {
    const all = new TestRegions();
    const names = options.names ?? ['us-east-1', 'us-west-2'];
    const servers = await Promise.all(names.map(() => listenOnLoopback()));
    const { reachedAt = (endpoint: string) => Promise.resolve(endpoint) } = options;
    const reached = await Promise.all(servers.map(({ endpoint }) => reachedAt(endpoint)));
    names.forEach((name, index) => {
      const peers = names.flatMap((region, other) =>
        other === index ? [] : [{ region, endpoint: reached[other]! }],
      );
      all.#add(name, servers[index]!, peers, options);
    });
    return all;
  }

  /** A clone, or with no URL an empty repository on branch main; commits and pushes like a developer's machine. */
  async clone(url?: string, flags: readonly string[] = []): Promise<Clone> {
    this.#clones += 1;
    const path = join(this.folder, `clone-${this.#clones}`);
    mkdirSync(path);
    const clone = new Clone(path, this.folder);
    if (url === undefined) await clone.git('init', '--quiet', '--initial-branch=main');
    else await clone.git('clone', '--quiet', ...flags, url, '.');
    return clone;
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #add(
    name: string,
    { server, endpoint }: { server: HttpServer; endpoint: string },
    peers: ServiceContext['peers'],
    { config = {}, clock = hastyClock }: TestRegionsOptions,
  ): void {
    let context: ServiceContext | undefined;
    let repository: Repository | undefined;
    let isCutOff = false;
    let isIsolated = false;
    server.on('request', (request, response) => {
      const isFromRegion = 'tandem-region' in request.headers;
      if (isCutOff || !repository || (isIsolated && isFromRegion)) request.socket.destroy();
      else if (!repository.handle(request, response)) response.writeHead(404).end();
    });
    server.on('connection', socket => {
      if (isCutOff) socket.destroy();
    });
    const newContext = () => testContext(this.folder, { region: name, peers, endpoint, config, clock });
    const region: TestRegion = {
      name,
      endpoint,
      gitUrl: `${endpoint}/git/storefront.git`,
      changes: [],
      get context() {
        return (context ??= newContext());
      },
      get repository() {
        return repository!;
      },
      async start(listener) {
        context ??= newContext();
        const next = createRepository(context);
        next.onRefChange(change => {
          region.changes.push(change);
          return listener?.(change) ?? [];
        });
        await next.start();
        repository = next;
      },
      async stop() {
        await repository?.stop();
        context?.database.close();
        repository = undefined;
        context = undefined;
      },
      cutOff() {
        isCutOff = true;
        server.closeAllConnections();
      },
      reconnect() {
        isCutOff = false;
      },
      isolate() {
        isIsolated = true;
      },
      rejoin() {
        isIsolated = false;
      },
      async events(type) {
        const found: RegionEvent[] = [];
        for await (const event of region.context.events.read({ after: 0, limit: 10_000 })) {
          if (event.type === type) found.push(event);
        }
        return found;
      },
      async untilEvent(type, fits = () => true) {
        const abort = new AbortController();
        for await (const event of region.context.events.read({ after: 0, follow: true }, abort.signal)) {
          if (event.type !== type || !fits(event)) continue;
          abort.abort();
          return event;
        }
        throw new Error(`no ${type}`);
      },
    };
    this.regions.push(region);
    this.#closers.push(async () => {
      await region.stop();
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
  }
}

/** A working copy and an ordinary git client. */
export class Clone {
  readonly path: string;
  readonly #environment: Record<string, string | undefined>;

  constructor(path: string, home: string) {
    this.path = path;
    this.#environment = {
      PATH: environment['PATH'],
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
    };
  }

  /** Any exit code. */
  attempt(...argv: string[]): Promise<CommandResult> {
    return runCommand('git', argv, { cwd: this.path, env: this.#environment });
  }

  /** Rejects on failure; resolves with standard output, trimmed. */
  async git(...argv: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.attempt(...argv);
    if (exitCode !== 0) throw new Error(`git ${argv.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** A commit that changes nothing but history; its id. */
  async commit(subject: string): Promise<string> {
    await this.git('commit', '--quiet', '--allow-empty', '--message', subject);
    return this.git('rev-parse', 'HEAD');
  }
}

async function listenOnLoopback(): Promise<{ server: HttpServer; endpoint: string }> {
  const server = createHttpServer();
  const port = await listen(server, { address: '127.0.0.1', port: 0 });
  return { server, endpoint: `http://127.0.0.1:${port}` };
}
