import { join, resolve } from 'node:path';
import { systemErrorCode, TandemError } from '../../core/error.ts';
import { delay } from '../../platform/clock.ts';
import { FileRefusedError, pathExists, readTextWithin } from '../../platform/files.ts';
import { environment, nodePath, nodeVersion } from '../../platform/process.ts';
import { endMarkedProcesses } from '../../platform/process-sweep.ts';
import type { ServiceContext } from '../context.ts';
import type { Registry } from '../registry/contract.ts';
import type { Repository } from '../repository/contract.ts';
import { artifactTexts, type ArtifactStore } from './artifacts.ts';
import type { BuildLog } from './build-log.ts';
import type { BuildProgress } from './build-progress.ts';
import type { StoredBuild } from './build-store.ts';
import type { Buildspec } from './buildspec/schema.ts';
import { cacheTexts, type BuildCache, type CacheUse } from './cache.ts';
import { runCommandPhases } from './command-phases.ts';
import { keepCompiledCode } from './compiled-code.ts';
import type { ImageTools, PrepareImageTools } from './contract.ts';
import { buildEnvironment, refuseSecretReferences } from './environment.ts';
import { expandAll, exportedValues } from './expressions.ts';
import { installHashFilesCommand } from './hash-files-command.ts';
import { resolveImages } from './image-definitions.ts';
import { writeNpmConfiguration } from './npm-configuration.ts';
import { collectReports, reportTexts } from './report/reports.ts';
import { resolveUsers } from './run-as.ts';
import { openOutputChannel, type OutputChannel } from './shell/output-channel.ts';
import { ShellSession, type ShellUser } from './shell/shell-session.ts';
import { makeWorkspace, removeWorkspace, type BuildFolders } from './workspace.ts';

const LONGEST_WAIT_FOR_WRITERS_MS = 10_000;

/** The variable by which a build's processes are known from all others. */
export const MARK_VARIABLE = 'TANDEM_BUILD_PROCESS';

export interface BuildRunSettings {
  context: ServiceContext;
  repository: Pick<Repository, 'checkout' | 'commit'>;
  registry: Pick<Registry, 'manifest'>;
  prepareImageTools: PrepareImageTools;
  stored: StoredBuild;
  progress: BuildProgress;
  log: BuildLog;
  artifacts: ArtifactStore;
  cache: BuildCache;
  /** Aborted with a BuildAbort. */
  signal: AbortSignal;
  workFolder: string;
  /** Kept from build to build: image layers, npm's packages. */
  cacheFolder: string;
  /** Told of each process that leads a session. */
  onLeader(identity: string): void;
}

/** What PROVISIONING and DOWNLOAD_SOURCE make, for the phases after them. */
interface Prepared {
  folders: BuildFolders;
  output: OutputChannel;
  tools: ImageTools;
  checkout: Promise<void>;
}

interface Downloaded {
  buildspec: Buildspec;
  users: ReadonlyMap<string, ShellUser | undefined>;
  session: ShellSession;
  cacheUse: CacheUse | undefined;
}

/** Runs one build from its turn to its end; everything it started is gone when it resolves, whatever happened. */
export async function runBuild(settings: BuildRunSettings): Promise<void> {
  const { progress, log } = settings;
  const run = new BuildRun(settings);
  try {
    progress.leaveQueue();
    await run.execute();
    await progress.phase('FINALIZING', async () => {
      await run.cleanUp();
      return undefined;
    });
    log.flush();
    progress.complete();
  } catch (error) {
    // Not even the record could be kept (a full disk): still nothing is left running.
    await run.cleanUp();
    throw error;
  }
}

class BuildRun {
  readonly #settings: BuildRunSettings;
  readonly #root: string;
  readonly #leaders: string[] = [];
  readonly #writers: Promise<unknown>[] = [];
  #output: OutputChannel | undefined;

  constructor(settings: BuildRunSettings) {
    this.#settings = settings;
    this.#root = workspaceOf(settings.workFolder, settings.stored);
  }

  async execute(): Promise<void> {
    const { progress, signal } = this.#settings;
    let prepared: Prepared | undefined;
    let downloaded: Downloaded | undefined;
    await progress.phase('PROVISIONING', async () => {
      prepared = await this.#provision();
      return undefined;
    });
    if (prepared === undefined) return;
    const { folders } = prepared;
    await progress.phase('DOWNLOAD_SOURCE', async () => {
      downloaded = await this.#downloadSource(prepared!);
      return undefined;
    });
    if (downloaded === undefined) return;
    await runCommandPhases({ ...downloaded, progress, log: this.#settings.log, signal });
    if (signal.aborted) return;
    await progress.phase('UPLOAD_ARTIFACTS', async () => {
      await this.#uploadArtifacts(folders, downloaded!);
      return undefined;
    });
  }

  async cleanUp(): Promise<void> {
    const { stored, log, context } = this.#settings;
    // A checkout that an abort left behind must not write into a workspace that is being removed.
    const patience = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#writers).finally(() => patience.abort()),
      delay(context.clock, LONGEST_WAIT_FOR_WRITERS_MS, patience.signal).catch(() => undefined),
    ]);
    const left = await endMarkedProcesses({
      variable: `${MARK_VARIABLE}=${stored.mark}`,
      leaders: this.#leaders,
    });
    if (left.length > 0) log.note(`Processes that do not end: ${left.join(', ')}`);
    const output = this.#output;
    this.#output = undefined;
    await output?.fence();
    output?.close();
    await removeWorkspace(this.#root);
  }

  #inWorkspace<Result>(work: Promise<Result>): Promise<Result> {
    work.catch(() => undefined);
    this.#writers.push(work);
    return work;
  }

  /** Makes the workspace, the output and the image tools; the checkout begins beside that. */
  async #provision(): Promise<Prepared> {
    const { context, log, stored, signal, repository, cacheFolder } = this.#settings;
    const folders = await makeWorkspace(this.#root);
    const checkout = this.#inWorkspace(repository.checkout(stored.request.commit, folders.source));
    const tools = this.#inWorkspace(
      this.#settings.prepareImageTools({
        folder: folders.tools,
        cacheFolder: join(cacheFolder, 'images'),
        registryHost: registryHost(context),
        region: context.region,
      }),
    );
    const output = await openOutputChannel(folders.output, line => log.output(line));
    this.#output = output;
    await installHashFilesCommand(folders.bin);
    await keepCompiledCode(folders.temporary, cacheFolder);
    await writeNpmConfiguration(environment['HOME'], folders.home);
    log.note((await abortable(signal, tools)).description);
    return { folders, output, tools: await tools, checkout };
  }

  async #downloadSource(prepared: Prepared): Promise<Downloaded> {
    const { context, log, stored, signal, repository } = this.#settings;
    const { folders } = prepared;
    const [commit] = await abortable(
      signal,
      Promise.all([repository.commit(stored.request.commit), prepared.checkout]),
    );
    log.note(`Source: commit ${commit.id} "${commit.subject}" by ${commit.author.name}`);
    log.note(`CODEBUILD_SRC_DIR=${folders.source}`);
    const buildspec = await readBuildspec(folders.source, context.config.build.buildspec);
    log.note(`YAML location is ${join(folders.source, context.config.build.buildspec)}`);
    refuseSecretReferences(buildspec, context.config);
    const users = await resolveUsers(buildspec);
    noteIgnored(buildspec, log);
    const session = await this.#openSession(prepared, buildspec);
    const cacheUse = await this.#restoreCache(folders, buildspec, session);
    return { buildspec, users, session, cacheUse };
  }

  async #openSession(prepared: Prepared, buildspec: Buildspec): Promise<ShellSession> {
    const { context, stored, progress, onLeader, cacheFolder } = this.#settings;
    const isBash = buildspec.env.shell === 'bash';
    const program = isBash ? await findBash() : '/bin/sh';
    const mark = { name: MARK_VARIABLE, value: stored.mark };
    const variables = buildEnvironment({
      build: progress.build,
      request: stored.request,
      config: context.config,
      region: context.region,
      endpoint: context.endpoint,
      registryHost: registryHost(context),
      folders: prepared.folders,
      npmCacheFolder: join(cacheFolder, 'npm'),
      tools: prepared.tools,
      buildspec,
      machine: environment,
      nodePath,
      mark,
      startedAt: progress.build.startedAt,
    });
    return new ShellSession({
      program,
      isBash,
      folder: prepared.folders.control,
      workspace: prepared.folders.source,
      environment: variables,
      mark,
      output: prepared.output,
      onStart: identity => {
        this.#leaders.push(identity);
        onLeader(identity);
      },
    });
  }

  async #restoreCache(
    folders: BuildFolders,
    buildspec: Buildspec,
    session: ShellSession,
  ): Promise<CacheUse | undefined> {
    if (buildspec.cache === undefined) return undefined;
    const { cache, log, signal } = this.#settings;
    const expand = await expandAll(session, folders.control, cacheTexts(buildspec.cache), signal);
    return abortable(
      signal,
      cache.restore(buildspec.cache, folders, expand, text => log.note(text)),
    );
  }

  async #uploadArtifacts(folders: BuildFolders, { buildspec, session, cacheUse }: Downloaded): Promise<void> {
    const { artifacts, log, progress, signal, cache, registry, context } = this.#settings;
    const { build } = progress;
    const note = (text: string) => log.note(text);
    const texts = [
      ...artifactTexts(buildspec.artifacts),
      ...reportTexts(buildspec.reports),
      ...cacheTexts(buildspec.cache),
    ];
    build.exportedVariables = await exportedValues(
      session,
      folders.control,
      buildspec.env['exported-variables'],
      signal,
    );
    const expand = await expandAll(session, folders.control, texts, signal);
    await session.end(signal);
    const reportFolder = join(artifacts.folderOf(build.id), 'reports');
    build.reports = await collectReports(buildspec.reports, folders.source, reportFolder, expand, note);
    let primary = folders.source;
    if (buildspec.artifacts !== undefined) {
      primary = await abortable(
        signal,
        artifacts.collect(build.id, folders.source, buildspec.artifacts, expand, note),
      );
    }
    if (!progress.isSucceeding) return;
    build.images = await resolveImages([primary, folders.source], registry, {
      registryHost: registryHost(context),
      region: context.region,
    });
    if (cacheUse !== undefined) await abortable(signal, cache.save(cacheUse, folders, expand, note));
    signal.throwIfAborted();
  }
}

/** A short path: programs put sockets, whose paths are limited to about 100 characters, below TMPDIR. */
/** Its parser takes a hundred times as much memory, of the region's own process. */
const LARGEST_BUILDSPEC_BYTES = 262_144;

function workspaceOf(workFolder: string, stored: StoredBuild): string {
  return join(workFolder, String(stored.build.number));
}

function registryHost(context: ServiceContext): string {
  return new URL(context.endpoint).host;
}

async function readBuildspec(source: string, path: string): Promise<Buildspec> {
  // With its YAML parser, which a region that builds nothing can do without.
  const { parseBuildspec } = await import('./buildspec/parse.ts');
  try {
    return parseBuildspec(await readTextWithin(resolve(source, path), LARGEST_BUILDSPEC_BYTES), path);
  } catch (error) {
    if (error instanceof FileRefusedError)
      throw new TandemError('BUILDSPEC_INVALID', `${path} ${error.message}: that is no buildspec`);
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new TandemError(
      'BUILDSPEC_MISSING',
      `the commit has no ${path}: add one, or name another file as build.buildspec in tandem.config.ts`,
    );
  }
}

/** What the buildspec asks for and this machine does its own way is told, not refused. */
function noteIgnored(buildspec: Buildspec, log: BuildLog): void {
  for (const [runtime, version] of Object.entries(buildspec.phases.install?.['runtime-versions'] ?? {})) {
    const own = runtime === 'nodejs' ? `Node.js ${nodeVersion}` : "this machine's own";
    log.note(`runtime-versions: ${runtime} ${version} asked for; the build uses ${own}`);
  }
  if (buildspec.proxy !== undefined) log.note("proxy: the build uses this machine's proxy settings");
  if (buildspec.env['git-credential-helper'] === true) {
    log.note('git-credential-helper: not needed, the local repository asks for no credentials');
  }
}

async function findBash(): Promise<string> {
  const folders = (environment['PATH'] ?? '').split(':').filter(folder => folder.startsWith('/'));
  for (const folder of folders) {
    const path = join(folder, 'bash');
    if (await pathExists(path)) return path;
  }
  throw new TandemError(
    'SHELL_UNAVAILABLE',
    'env.shell of the buildspec is bash, which is not on this machine: install it, or use /bin/sh',
  );
}

/** Rejects with the abort's reason as soon as it comes; what was under way is left to end by itself. */
function abortable<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
