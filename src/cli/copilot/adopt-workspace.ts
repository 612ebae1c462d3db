import { dirname, join, relative } from 'node:path';
import type { ConfigInput } from '../../model/config/schema.ts';
import { mkdir, pathExists, readTextIfExists, writeFile } from '../../platform/files.ts';
import { buildspecTemplate } from '../templates/files.ts';
import { configText } from './config-text.ts';
import { importCopilot, type CopilotImport } from './import-copilot.ts';
import { readCopilotWorkspace } from './workspace.ts';

/** A file to be written, and what is there already. */
interface PlannedFile {
  /** From the application's folder. */
  name: string;
  text: string;
  state: 'missing' | 'same' | 'different';
}

/** What `tandem init --from copilot` is about to do; nothing has been written. */
export interface CopilotAdoption extends Omit<CopilotImport, 'image'> {
  files: PlannedFile[];
  /** What a person should know beside the remarks. */
  advice: string[];
}

/** Reads `copilot/` in the folder and plans the files of a Tandem application; throws as `importCopilot` does. */
export async function planCopilotAdoption(
  folder: string,
  options: { configPath: string; service: string | undefined; fallbackName: string },
): Promise<CopilotAdoption> {
  const workspace = await readCopilotWorkspace(folder);
  const { image, ...imported } = importCopilot(workspace, options);
  const buildspec = await planBuildspec(
    folder,
    imported.service,
    buildspecTemplate([], image.buildArguments),
  );
  const config: ConfigInput = {
    ...imported.config,
    ...(buildspec.name !== 'buildspec.yml' && { build: { buildspec: buildspec.name } }),
  };
  const headline = `From the Copilot service ${workspace.application ?? options.fallbackName}/${imported.service}.`;
  const files = [
    await planned(folder, relative(folder, options.configPath), configText(config, oneLine(headline))),
    buildspec,
  ];
  const advice = [];
  if (image.location !== undefined) {
    const dockerfile = await planned(folder, 'Dockerfile', `FROM ${oneLine(image.location)}\n`);
    if (dockerfile.state === 'missing') files.push(dockerfile);
    else advice.push(`Copilot ran ${image.location}; what is released now is what Dockerfile builds.`);
  } else if (image.dockerfile !== undefined && !(await pathExists(join(folder, image.dockerfile)))) {
    advice.push(
      `There is no ${image.dockerfile}, which builds are made by: write it, or correct ${buildspec.name}.`,
    );
  }
  advice.push(adviceOnRegions(config.regions ?? []));
  return { ...imported, config, files, advice };
}

/** A Copilot environment has one region; several regions are what Tandem is for. */
function adviceOnRegions(regions: readonly string[]): string {
  if (regions.length === 0) {
    return 'Copilot keeps its regions in AWS, not in these files: `copilot env show` tells them; set `regions`.';
  }
  const seen = regions.join(' and ');
  return regions.length === 1
    ? `The manifests tell of ${seen}; another entry in \`regions\` makes the application live there, too.`
    : `The manifests tell of ${seen}; the first of \`regions\` is the primary: check their order.`;
}

/** Writes what was planned; files that are the same stay untouched. */
export async function writeAdoption(folder: string, files: readonly PlannedFile[]): Promise<void> {
  for (const { name, text, state } of files) {
    if (state === 'same') continue;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, state === 'missing' ? { flag: 'wx' } : {});
  }
}

/** A buildspec that is somebody's own is left alone: another name is as good. */
async function planBuildspec(folder: string, service: string, text: string): Promise<PlannedFile> {
  const first = await planned(folder, 'buildspec.yml', text);
  return first.state === 'different' ? planned(folder, `buildspec.${service}.yml`, text) : first;
}

async function planned(folder: string, name: string, text: string): Promise<PlannedFile> {
  const there = await readTextIfExists(join(folder, name));
  return { name, text, state: there === undefined ? 'missing' : there === text ? 'same' : 'different' };
}

/** Text of the workspace in a comment must not end it. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
