import { realpath } from '../platform/files.ts';
import { printable } from './text/printable.ts';
import type { Git } from './git.ts';

export const REMOTE_NAME = 'tandem';

export type RemoteSetup =
  | { state: 'added' | 'updated' | 'unchanged' }
  /** `url`: somebody else's remote has the name already; it is left alone. */
  | { state: 'taken'; url: string }
  | { state: 'no-repository' };

/**
 * Makes `git push tandem` work in the application's repository: the remote `tandem` points to the primary region.
 * The folder must be the repository's own top: a folder inside another repository is not the application's.
 */
export async function setUpRemote(git: Git, folder: string, gitUrl: string): Promise<RemoteSetup> {
  if (!(await isRepositoryTop(git, folder))) return { state: 'no-repository' };
  const url = await remoteUrl(git, folder);
  if (url === gitUrl) return { state: 'unchanged' };
  if (url !== undefined && !isLocalCloudUrl(url)) return { state: 'taken', url: printable(url) };
  await git(
    url === undefined ? ['remote', 'add', REMOTE_NAME, gitUrl] : ['remote', 'set-url', REMOTE_NAME, gitUrl],
    { folder },
  );
  // A proxy for the outer world must not come between git and this machine's own addresses.
  await git(['config', `remote.${REMOTE_NAME}.proxy`, ''], { folder });
  return { state: url === undefined ? 'added' : 'updated' };
}

export async function isRepositoryTop(git: Git, folder: string): Promise<boolean> {
  const { exitCode, stdout } = await git(['rev-parse', '--show-toplevel'], { folder });
  return exitCode === 0 && (await realpath(stdout.trimEnd())) === (await realpath(folder));
}

/** Where the remote `tandem` points to, `undefined` where there is none. */
export async function remoteUrl(git: Git, folder: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git(['remote', 'get-url', REMOTE_NAME], { folder });
  return exitCode === 0 ? stdout.trimEnd() : undefined;
}

function isLocalCloudUrl(url: string): boolean {
  return /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?\/git\/[^/]+\.git$/.test(url);
}
