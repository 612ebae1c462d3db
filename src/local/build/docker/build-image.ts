import { basename, join } from 'node:path';
import { TandemError, errorMessage, systemErrorCode } from '../../../core/error.ts';
import type { Instant } from '../../../core/instant.ts';
import type { Clock } from '../../../platform/clock.ts';
import { removeTree } from '../../../platform/file-tree.ts';
import { FileRefusedError, mkdirSync, mkdtempSync, readTextWithinSync } from '../../../platform/files.ts';
import { architecture } from '../../../platform/process.ts';
import type { ImageConfig } from '../../../wire/oci/image-config.ts';
import { formatInstant } from '../../../core/instant.ts';
import { BuildContext } from './context/build-context.ts';
import { LARGEST_DOCKERFILE_BYTES, parseDockerfile } from './dockerfile/parse.ts';
import { findStage, neededStages, planStages, type StagePlan } from './dockerfile/stages.ts';
import { applyConfiguration, applyStep, checkInstruction, isStep } from './instructions/execute.ts';
import { startStage } from './instructions/from.ts';
import { RootView } from './instructions/root-view.ts';
import type { BuildSession } from './instructions/session.ts';
import type { Stage } from './instructions/stage.ts';
import { LayerCache } from './layers/layer-cache.ts';
import { Progress } from './progress.ts';
import { ImageStore, type LocalImage } from './store/image-store.ts';

export interface ImageBuild {
  contextFolder: string;
  /** Its path, as given or `<context>/Dockerfile`. */
  dockerfile: string;
  /** Its text, where it did not come from that file (`-f -`). */
  dockerfileText?: string;
  buildArguments: ReadonlyMap<string, string>;
  labels: Readonly<Record<string, string>>;
  /** A stage's name or number; absent: the last. */
  target?: string;
  /** `linux/arm64`; absent: this machine's. */
  platform?: string;
  useCache: boolean;
  createdAt: Instant;
  /** The images of this build, and room for what it unpacks. */
  folder: string;
  cacheFolder: string;
  clock: Clock;
  /** BuildKit-like lines. */
  write(text: string): void;
  signal: AbortSignal;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm: 'arm' };
const OCI_ARCHITECTURE = ARCHITECTURES[architecture] ?? architecture;

/**
 * Builds an OCI image from a Dockerfile with plain processes: base images are not pulled but stand for this machine,
 * files become layers as any builder writes them, RUN runs here. Throws DOCKERFILE_INVALID, DOCKERFILE_UNSUPPORTED,
 * BUILD_CONTEXT_INVALID, BUILD_CONTEXT_CHANGED or IMAGE_BUILD_FAILED.
 */
export async function buildImage(build: ImageBuild): Promise<LocalImage> {
  const progress = new Progress(build.clock, build.write);
  progress.header('building with Tandem: no container engine, the Dockerfile runs as plain processes');
  const workParent = join(build.folder, 'work');
  mkdirSync(workParent, { recursive: true });
  const workFolder = mkdtempSync(join(workParent, 'build-'));
  try {
    return await buildIn(build, workFolder, progress);
  } finally {
    await removeTree(workFolder);
  }
}

async function buildIn(build: ImageBuild, workFolder: string, progress: Progress): Promise<LocalImage> {
  const loading = progress.step(`[internal] load build definition from ${basename(build.dockerfile)}`);
  const text = build.dockerfileText ?? readDockerfile(build.dockerfile);
  const dockerfile = parseDockerfile(text, basename(build.dockerfile));
  const platform = imagePlatform(build.platform);
  const { stages: plans, globals } = planStages(dockerfile, {
    buildArguments: build.buildArguments,
    platformArguments: platformArguments(platform.architecture),
  });
  const target = targetStage(plans, build.target);
  const needed = neededStages(plans, target);
  for (const plan of needed)
    for (const instruction of [plan.from, ...plan.instructions]) checkInstruction(instruction);
  loading.note(`transferring dockerfile: ${text.length}B done`);
  loading.done();

  const store = new ImageStore(build.folder);
  const session: BuildSession = {
    context: new BuildContext(build.contextFolder, build.dockerfile),
    store,
    cache: new LayerCache(build.cacheFolder, store, () => build.clock.now()),
    mountFolder: join(build.cacheFolder, 'mounts'),
    workFolder,
    progress,
    globals,
    plans,
    stages: new Map(),
    architecture: platform.architecture,
    createdAt: build.createdAt,
    useCache: build.useCache,
    rootView: new RootView(workFolder),
    warn: text => progress.warning(text),
    signal: build.signal,
  };
  for (const plan of needed) session.stages.set(plan.index, await buildStage(plan, session));
  return exportImage(session.stages.get(target.index)!, build.labels);
}

async function buildStage(plan: StagePlan, session: BuildSession): Promise<Stage> {
  const steps = plan.instructions.filter(isStep).length + 1;
  const name = plan.name ?? `stage-${plan.index}`;
  const first = session.progress.step(`[${name} 1/${steps}] ${plan.from.original}`);
  const stage = startStage(plan, session);
  first.done();
  let number = 1;
  for (const instruction of plan.instructions) {
    session.signal.throwIfAborted();
    if (!isStep(instruction)) {
      await applyConfiguration(stage, instruction);
      continue;
    }
    number += 1;
    const step = session.progress.step(`[${name} ${number}/${steps}] ${instruction.original}`);
    try {
      if ((await applyStep(stage, instruction, step)) === 'cached') step.cached();
      else step.done();
    } catch (error) {
      step.failed(errorMessage(error));
      throw error;
    }
  }
  return stage;
}

function exportImage(stage: Stage, labels: Readonly<Record<string, string>>): LocalImage {
  const { session, baseName, layers, history } = stage;
  const step = session.progress.step('exporting to image');
  const created = formatInstant(session.createdAt);
  const annotations: Record<string, string> = {
    // Honest about what this is: files for this machine's own programs, with no operating system below them.
    'dev.tandem.runtime': 'process',
    ...(baseName === undefined ? {} : { 'org.opencontainers.image.base.name': baseName }),
  };
  const config: ImageConfig = {
    created,
    architecture: session.architecture,
    os: 'linux',
    config: { ...stage.config, Labels: { ...annotations, ...stage.config.Labels, ...labels } },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: history.map(entry => ({ created, ...entry })),
  };
  const image = session.store.putImage(config, layers, annotations);
  step.note('exporting layers done');
  step.note(`exporting manifest ${image.manifestDigest} done`);
  step.note(`exporting config ${image.manifest.config.digest} done`);
  step.done();
  session.cache.prune();
  return image;
}

function readDockerfile(path: string): string {
  try {
    return readTextWithinSync(path, LARGEST_DOCKERFILE_BYTES);
  } catch (error) {
    const why =
      error instanceof FileRefusedError
        ? `it ${error.message}`
        : systemErrorCode(error) === 'ENOENT'
          ? 'there is no such file'
          : 'it cannot be read';
    throw new TandemError(
      'DOCKERFILE_INVALID',
      `failed to read the Dockerfile ${path}: ${why}. Name it with -f, relative to where docker build runs.`,
      { cause: error },
    );
  }
}

function targetStage(plans: StagePlan[], target: string | undefined): StagePlan {
  const found = target === undefined ? plans.at(-1) : findStage(target, plans);
  if (found !== undefined) return found;
  const names = plans.map(({ name, index }) => name ?? String(index)).join(', ');
  throw new TandemError(
    'DOCKERFILE_INVALID',
    `target stage "${target}" could not be found. The Dockerfile has: ${names}.`,
  );
}

function imagePlatform(platform: string | undefined): { architecture: string } {
  if (platform === undefined) return { architecture: OCI_ARCHITECTURE };
  const match = /^linux\/([a-z0-9]+)(?:\/v\d+)?$/.exec(platform);
  if (match === null)
    throw new TandemError(
      'DOCKER_COMMAND_UNSUPPORTED',
      `--platform=${platform}: without a container engine one Linux platform is built at a time. Write linux/amd64 or linux/arm64.`,
    );
  return { architecture: match[1]! };
}

function platformArguments(target: string): Map<string, string> {
  return new Map([
    ['TARGETPLATFORM', `linux/${target}`],
    ['TARGETOS', 'linux'],
    ['TARGETARCH', target],
    ['TARGETVARIANT', ''],
    ['BUILDPLATFORM', `linux/${OCI_ARCHITECTURE}`],
    ['BUILDOS', 'linux'],
    ['BUILDARCH', OCI_ARCHITECTURE],
    ['BUILDVARIANT', ''],
  ]);
}
