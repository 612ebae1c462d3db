import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../../core/error.ts';
import { HOUR_MS } from '../../../core/duration.ts';
import type { Build } from '../../../model/build.ts';
import type { ConfigInput } from '../../../model/config/schema.ts';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  tmpdir,
  writeFile,
} from '../../../platform/files.ts';
import { sha256 } from '../../../platform/hash.ts';
import type { ServiceContext } from '../../context.ts';
import { testContext } from '../../testing/context.ts';
import { BUILD_LOG_GROUP } from '../build-log.ts';
import { createBuildService, type BuildServiceDependencies } from '../build-service.ts';
import type { BuildRequest, BuildService } from '../contract.ts';

export interface BuildFixture {
  context: ServiceContext;
  service: BuildService;
  /** The files of the commit that is built, by path. */
  source: Record<string, string>;
  /** Starts a build of `source` and resolves when it has ended. */
  build(request?: Partial<BuildRequest>): Promise<Build>;
  /** Resolves with the first recorded state of the build that satisfies `condition`. */
  waitFor(id: string, condition: (build: Build) => boolean): Promise<Build>;
  /** The build's log, without the lines of CodeBuild's own. */
  output(build: Build): string[];
  /** The build's whole log. */
  log(build: Build): string[];
  close(): Promise<void>;
}

export interface FixtureOptions {
  /** Default: a new one, removed by `close`. */
  folder?: string;
  config?: Partial<ConfigInput>;
  buildTimeoutMs?: number;
  dependencies?: Partial<BuildServiceDependencies>;
}

let tokens = 0;

/**
 * A build service over a temporary folder. Instead of git, the checkout writes `source`; instead of a registry there
 * is a folder, which a stand-in for `docker push <host>/<name>:<tag>` writes into.
 */
export async function buildFixture(options: FixtureOptions = {}): Promise<BuildFixture> {
  const folder = options.folder ?? (await realpath(await mkdtemp(join(tmpdir(), 'build-'))));
  const context = testContext(folder, {
    endpoint: 'http://127.0.0.1:5000',
    ...(options.config && { config: options.config }),
  });
  const source: Record<string, string> = {};
  const dependencies = fixtureDependencies(folder, source, options);
  const service = createBuildService(context, dependencies);
  await service.start();
  const waitFor = waiter(service);
  const log = (build: Build) =>
    context.logs.tail(BUILD_LOG_GROUP, build.logStream, 1_000_000).map(({ message }) => message);
  return {
    context,
    service,
    source,
    async build(request = {}) {
      const { id } = service.startBuild(buildRequest(request));
      return waitFor(id, build => build.status !== 'IN_PROGRESS');
    },
    waitFor,
    log,
    output: build => log(build).filter(line => !line.startsWith('[Container]')),
    async close() {
      await service.stop();
      context.database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function buildRequest(request: Partial<BuildRequest> = {}): BuildRequest {
  tokens += 1;
  return {
    token: `token-${tokens}`,
    commit: '4f2a'.repeat(10),
    ref: 'refs/heads/main',
    executionId: 'execution-1',
    initiator: 'codepipeline/storefront',
    ...request,
  };
}

function fixtureDependencies(
  folder: string,
  source: Record<string, string>,
  options: FixtureOptions,
): BuildServiceDependencies {
  const registry = join(folder, 'registry');
  return {
    timing: { buildTimeoutMs: options.buildTimeoutMs ?? HOUR_MS, approvalExpiresAfterMs: HOUR_MS },
    repository: {
      async checkout(_commit, target) {
        for (const [path, text] of Object.entries(source)) {
          await mkdir(dirname(join(target, path)), { recursive: true });
          await writeFile(join(target, path), text);
        }
      },
      commit: async id => ({
        id,
        subject: 'Change it',
        author: { name: 'Ada', email: 'ada@example.com' },
        authoredAt: 0,
      }),
    },
    registry: {
      async manifest(repository, reference) {
        try {
          const bytes = await readFile(join(registry, repository, reference));
          return { digest: `sha256:${sha256(bytes)}`, mediaType: 'application/json', bytes };
        } catch (error) {
          if (systemErrorCode(error) === 'ENOENT') return undefined;
          throw error;
        }
      },
    },
    async prepareImageTools(request) {
      await writeFile(join(request.folder, 'docker'), dockerStandIn(registry, request.registryHost), {
        mode: 0o755,
      });
      await writeFile(join(request.folder, 'aws'), '#!/bin/sh\necho password\n', { mode: 0o755 });
      return { binFolder: request.folder, environment: {}, description: 'image tools of the tests' };
    },
    ...options.dependencies,
  };
}

function dockerStandIn(registry: string, registryHost: string): string {
  return `#!/bin/sh
case "$1" in
  login) cat >/dev/null ;;
  push)
    name=\${2#${registryHost}/}
    mkdir -p "${registry}/\${name%:*}"
    echo "$2" > "${registry}/\${name%:*}/\${name##*:}" ;;
esac
`;
}

function waiter(service: BuildService): BuildFixture['waitFor'] {
  const waiting = new Set<(build: Build) => void>();
  service.onChange(build => {
    for (const tell of waiting) tell(build);
  });
  return (id, condition) =>
    new Promise((resolve, reject) => {
      const tell = (build: Build) => {
        if (build.id !== id) return;
        if (condition(build)) resolve(build);
        else if (build.status === 'IN_PROGRESS') return;
        else reject(new Error(`the build ended otherwise: ${build.status} ${build.cause}`));
        waiting.delete(tell);
      };
      waiting.add(tell);
      const now = service.build(id);
      if (now) tell(now);
    });
}

/** Paths below a folder, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
