import { join } from 'node:path';
import { chmod, mkdir, readdir, rm } from '../../platform/files.ts';

/** The folders of one build; the whole of it is removed when the build ends. */
export interface BuildFolders {
  root: string;
  /** CODEBUILD_SRC_DIR: the commit's files. */
  source: string;
  /** HOME. */
  home: string;
  /** TMPDIR. */
  temporary: string;
  /** Commands that CodeBuild's images bring along. */
  bin: string;
  /** For the image tools alone. */
  tools: string;
  /** The shell's scripts and states. */
  control: string;
  /** The pipe that all output goes through. */
  output: string;
}

export async function makeWorkspace(root: string): Promise<BuildFolders> {
  const folders: BuildFolders = {
    root,
    source: join(root, 'src'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    bin: join(root, 'bin'),
    tools: join(root, 'tools'),
    control: join(root, 'control'),
    output: join(root, 'output'),
  };
  await removeWorkspace(root);
  const { output: _pipe, ...made } = folders;
  await mkdir(root, { recursive: true });
  await Promise.all(Object.values(made).map(folder => mkdir(folder, { recursive: true })));
  // Another user may be named by run-as; what lies around the workspace still keeps strangers out.
  await Promise.all([folders.control, folders.temporary].map(folder => chmod(folder, 0o777)));
  return folders;
}

/** A command may have taken the write permission from its own folders: it is given back first. */
export async function removeWorkspace(root: string): Promise<void> {
  const remove = () => rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  try {
    await remove();
  } catch {
    await makeRemovable(root);
    await remove();
  }
}

async function makeRemovable(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => undefined);
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await makeRemovable(join(folder, entry.name));
  }
}
