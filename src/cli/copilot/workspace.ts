import { join } from 'node:path';
import { systemErrorCode, TandemError } from '../../core/error.ts';
import { readdir, readFile } from '../../platform/files.ts';
import { parseManifest, scalarText, type Manifest, type ManifestFault } from './manifest.ts';

/** What a `copilot/` folder says. */
export interface CopilotWorkspace {
  /** From `copilot/.workspace`. */
  application: string | undefined;
  /** Services and jobs, by the names of their folders. */
  workloads: { name: string; type: string; manifest: Manifest }[];
  environments: { name: string; manifest: Manifest }[];
  pipelines: { name: string; manifest: Manifest }[];
  /** CloudFormation templates beside a workload or the environments. */
  addons: Manifest[];
  /** Files and folders that say more than manifests can: buildspecs, overrides. */
  extras: string[];
}

const FOLDER = 'copilot';
const ENVIRONMENTS = 'environments';
const PIPELINES = 'pipelines';

/**
 * Reads the Copilot workspace in a folder. Throws COPILOT_WORKSPACE_MISSING, or COPILOT_MANIFEST_INVALID with every
 * fault of every file (`data.faults`).
 */
export async function readCopilotWorkspace(folder: string): Promise<CopilotWorkspace> {
  const reader = new WorkspaceReader(folder);
  const workspace = await reader.read();
  const { faults } = reader;
  if (faults.length > 0) {
    const lines = faults.map(({ file, line, reason }) => `  ${file}:${line}: ${reason}`);
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    throw new TandemError('COPILOT_MANIFEST_INVALID', `${count}, so nothing was done\n${lines.join('\n')}`, {
      data: { faults },
    });
  }
  return workspace;
}

class WorkspaceReader {
  readonly faults: ManifestFault[] = [];
  readonly #folder: string;
  readonly #extras: string[] = [];
  readonly #addons: Manifest[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(): Promise<CopilotWorkspace> {
    const top = await this.#list(FOLDER);
    if (top === undefined) {
      throw new TandemError(
        'COPILOT_WORKSPACE_MISSING',
        `${join(this.#folder, FOLDER)} is no folder: run this in the folder that holds \`copilot/\`, or name that folder`,
        { data: { folder: this.#folder } },
      );
    }
    const summary = top.files.includes('.workspace')
      ? await this.#manifest(`${FOLDER}/.workspace`)
      : undefined;
    const application = summary?.value['application'];
    const workloads = [];
    for (const name of top.folders) {
      if (name === ENVIRONMENTS || name === PIPELINES) continue;
      const manifest = await this.#workload(name);
      if (manifest) workloads.push({ name, type: scalarText(manifest.value['type']) ?? '', manifest });
    }
    return {
      application: typeof application === 'string' ? application : undefined,
      workloads,
      environments: await this.#below(ENVIRONMENTS),
      pipelines: [...(await this.#below(PIPELINES)), ...(await this.#formerPipeline(top.files))],
      addons: this.#addons,
      extras: this.#extras,
    };
  }

  async #workload(name: string): Promise<Manifest | undefined> {
    const path = `${FOLDER}/${name}`;
    await this.#aside(path);
    return this.#manifestIn(path);
  }

  /** The manifests of `copilot/environments/*` or `copilot/pipelines/*`. */
  async #below(kind: string): Promise<{ name: string; manifest: Manifest }[]> {
    const path = `${FOLDER}/${kind}`;
    await this.#aside(path);
    const found = [];
    for (const name of (await this.#list(path))?.folders ?? []) {
      if (name === 'addons' || name === 'overrides') continue;
      await this.#aside(`${path}/${name}`);
      const manifest = await this.#manifestIn(`${path}/${name}`);
      if (manifest) found.push({ name, manifest });
    }
    return found;
  }

  /** Before version 1.16 Copilot had one pipeline, in `copilot/pipeline.yml`. */
  async #formerPipeline(files: readonly string[]): Promise<{ name: string; manifest: Manifest }[]> {
    if (files.includes('buildspec.yml')) this.#extras.push(`${FOLDER}/buildspec.yml`);
    if (!files.includes('pipeline.yml')) return [];
    const manifest = await this.#manifest(`${FOLDER}/pipeline.yml`);
    return manifest ? [{ name: 'pipeline', manifest }] : [];
  }

  /** What lies beside a manifest: add-ons, overrides, a buildspec. */
  async #aside(path: string): Promise<void> {
    const listed = await this.#list(path);
    if (listed?.files.includes('buildspec.yml')) this.#extras.push(`${path}/buildspec.yml`);
    if (listed?.folders.includes('overrides')) this.#extras.push(`${path}/overrides`);
    const addons = listed?.folders.includes('addons') ? await this.#list(`${path}/addons`) : undefined;
    for (const file of addons?.files ?? []) {
      // `addons.parameters.yml` only hands values to the templates.
      if (!isYaml(file) || file.startsWith('addons.parameters.')) continue;
      const manifest = await this.#manifest(`${path}/addons/${file}`);
      if (manifest) this.#addons.push(manifest);
    }
  }

  async #manifestIn(path: string): Promise<Manifest | undefined> {
    const listed = await this.#list(path);
    const file = listed?.files.find(name => name === 'manifest.yml' || name === 'manifest.yaml');
    return file === undefined ? undefined : this.#manifest(`${path}/${file}`);
  }

  async #manifest(file: string): Promise<Manifest | undefined> {
    const parsed = parseManifest(file, await readFile(join(this.#folder, file), 'utf8'));
    if (!Array.isArray(parsed)) return parsed;
    this.faults.push(...parsed);
    return undefined;
  }

  async #list(path: string): Promise<{ files: string[]; folders: string[] } | undefined> {
    try {
      const entries = await readdir(join(this.#folder, path), { withFileTypes: true });
      const named = (isWanted: (entry: (typeof entries)[number]) => boolean) =>
        entries
          .filter(isWanted)
          .map(({ name }) => name)
          .sort();
      return { files: named(entry => !entry.isDirectory()), folders: named(entry => entry.isDirectory()) };
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
      throw error;
    }
  }
}

function isYaml(file: string): boolean {
  return /\.ya?ml$/.test(file);
}
