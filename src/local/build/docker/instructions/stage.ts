import { join } from 'node:path';
import { unpackLayer } from '../../../../platform/archive.ts';
import { mkdirSync, mkdtempSync, readFileSync } from '../../../../platform/files.ts';
import { sha256 } from '../../../../platform/hash.ts';
import type { ContainerConfig, ImageConfig } from '../../../../wire/oci/image-config.ts';
import { expandWord } from '../dockerfile/expand.ts';
import type { Instruction } from '../dockerfile/instruction.ts';
import { expansionFor, type StagePlan } from '../dockerfile/stages.ts';
import type { Layer, LayerEntry, NewLayerEntry } from '../layers/entry.ts';
import type { StepResult } from '../layers/layer-cache.ts';
import { listLayer } from '../layers/list-layer.ts';
import { FileTree } from '../layers/tree.ts';
import { sortEntries, writeLayer } from '../layers/write-layer.ts';
import type { LocalImage } from '../store/image-store.ts';
import type { BuildSession } from './session.ts';

export type HistoryEntry = ImageConfig['history'][number];
type StageLayer = Layer & { entries?: string };

/** Whether an earlier build's result was taken. */
export type StepOutcome = 'cached' | 'done';

/** Raised when the way instructions are executed changes, so that no older result is taken. */
const CACHE_VERSION = 1;

/** `RUN` and shell forms without a SHELL instruction. */
const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * A stage while its instructions are executed: the configuration, variables and layers so far. Its files exist as
 * layers; a list of their names is read when a COPY has to know where it leads, and they are unpacked to disk only
 * when a process has to see them. So a build whose instructions are all cached touches no file of the image.
 */
export class Stage {
  readonly plan: StagePlan;
  readonly session: BuildSession;
  config: ContainerConfig = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
  /** ARGs in scope; `undefined` where one has no value. */
  readonly arguments = new Map<string, string | undefined>();
  readonly history: HistoryEntry[] = [];
  /** The base as written; absent for `scratch`. */
  baseName: string | undefined;
  /** Whether CMD was set here and not by the base: a new ENTRYPOINT clears an inherited CMD. */
  hasOwnCommand = false;
  #layers: StageLayer[] = [];
  #tree: Promise<FileTree> | undefined;
  #root: Promise<string> | undefined;

  constructor(plan: StagePlan, session: BuildSession) {
    this.plan = plan;
    this.session = session;
  }

  get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** `stage build` or `stage 0`. */
  get title(): string {
    return `stage ${this.plan.name ?? this.plan.index}`;
  }

  get workingFolder(): string {
    return this.config.WorkingDir || '/';
  }

  get shell(): readonly string[] {
    return this.config.Shell ?? DEFAULT_SHELL;
  }

  /** ENV wins over ARG (Dockerfile reference, "Using ARG variables"). */
  lookup(name: string): string | undefined {
    return this.environment().get(name) ?? this.arguments.get(name);
  }

  environment(): Map<string, string> {
    return new Map(
      this.config.Env?.map(entry => {
        const equals = entry.indexOf('=');
        return [entry.slice(0, equals), entry.slice(equals + 1)];
      }),
    );
  }

  expand(instruction: Instruction, text: string): string {
    return expandWord(
      text,
      expansionFor(instruction, name => this.lookup(name)),
    );
  }

  /** Everything that tells this stage's files apart from any other's. */
  filesKey(): string {
    return sha256(JSON.stringify([this.baseName ?? '', this.#layers.map(({ diffId }) => diffId)]));
  }

  cacheKey(instruction: Instruction, inputs: unknown): string {
    return sha256(
      JSON.stringify([CACHE_VERSION, this.filesKey(), instruction.keyword, inputs, this.session.createdAt]),
    );
  }

  /** Takes an earlier build's result for `key`; false where there is none. */
  async takeCached(key: string, createdBy: string): Promise<boolean> {
    const result = this.session.useCache ? this.session.cache.find(key) : undefined;
    if (result === undefined) return false;
    await this.#take(result, createdBy, true);
    return true;
  }

  startFrom(base: Stage): void {
    this.config = structuredClone(base.config);
    this.history.push(...base.history);
    this.baseName = base.baseName;
    this.#layers = [...base.#layers];
  }

  startFromImage(image: LocalImage, name: string): void {
    this.config = { ...structuredClone(image.config.config) };
    this.history.push(...image.config.history);
    this.baseName = name;
    this.#layers = image.manifest.layers.map(({ digest, size, mediaType }, index) => ({
      digest,
      size,
      mediaType,
      diffId: image.config.rootfs.diff_ids[index]!,
    }));
  }

  record(createdBy: string, isEmpty: boolean): void {
    this.history.push({
      created_by: createdBy,
      comment: 'tandem.process',
      ...(isEmpty ? { empty_layer: true } : {}),
    });
  }

  /**
   * Stores what an instruction changed as a layer, and remembers it under `key`. `unpack` false: the changes are on
   * disk already.
   */
  async addFiles(
    key: string,
    entries: readonly NewLayerEntry[],
    createdBy: string,
    unpack = true,
  ): Promise<StepOutcome> {
    const { store, cache, createdAt } = this.session;
    const result: StepResult = {};
    if (entries.length > 0) {
      result.layer = await writeLayer(store.blobFolder, entries, createdAt);
      const listed = sortEntries(entries).map(({ content: _content, ...entry }) => entry);
      result.entries = store.putBlob(Buffer.from(JSON.stringify(listed)));
    }
    cache.keep(key, result);
    await this.#take(result, createdBy, unpack);
    return 'done';
  }

  async #take(result: StepResult, createdBy: string, unpack: boolean): Promise<void> {
    this.record(createdBy, result.layer === undefined);
    if (result.layer === undefined) return;
    const layer = { ...result.layer, ...(result.entries === undefined ? {} : { entries: result.entries }) };
    this.#layers.push(layer);
    if (this.#tree !== undefined) (await this.#tree).apply(await this.#entriesOf(layer));
    if (this.#root !== undefined && unpack) await this.#unpack(layer, await this.#root);
  }

  /** The names in this stage's files. */
  tree(): Promise<FileTree> {
    this.#tree ??= this.#readTree();
    return this.#tree;
  }

  /** The folder that holds this stage's files. */
  root(): Promise<string> {
    this.#root ??= this.#unpackAll();
    return this.#root;
  }

  async #readTree(): Promise<FileTree> {
    const tree = new FileTree();
    for (const layer of this.#layers) tree.apply(await this.#entriesOf(layer));
    return tree;
  }

  async #entriesOf(layer: StageLayer): Promise<LayerEntry[]> {
    const { store } = this.session;
    if (layer.entries === undefined) return listLayer(store.blobPath(layer.digest), layer.mediaType);
    return JSON.parse(readFileSync(store.blobPath(layer.entries), 'utf8')) as LayerEntry[];
  }

  async #unpackAll(): Promise<string> {
    const { workFolder } = this.session;
    const root = join(mkdtempSync(join(workFolder, 'stage-')), 'root');
    mkdirSync(root);
    for (const layer of this.#layers) await this.#unpack(layer, root);
    return root;
  }

  async #unpack(layer: StageLayer, root: string): Promise<void> {
    await unpackLayer(this.session.store.blobPath(layer.digest), layer.mediaType, root);
  }
}
