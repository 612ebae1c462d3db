import { readFileSync } from '../../../platform/files.ts';

/** What the commands on PATH know of the build that they serve; `prepareImageTools` writes it. */
export interface ToolSettings {
  /** Images, credentials and work of this build alone. */
  folder: string;
  cacheFolder: string;
  /** The commands' own folder, to be skipped when a real program of the same name is looked for. */
  binFolder: string;
  registryHost: string;
  region: string;
}

export function readSettings(path: string): ToolSettings {
  return JSON.parse(readFileSync(path, 'utf8')) as ToolSettings;
}
