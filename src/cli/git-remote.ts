import { realpath } from '../platform/files.ts';
import { printable } from './text/printable.ts';
import type { Git } from './git.ts';

export const REMOTE_NAME = 'tandem';

/** Of the primary region's repository on AWS: one clone can push to both clouds. */
export const AWS_REMOTE_NAME = 'tandem-aws';

/**
 * How git signs in to CodeCommit (CodeCommit user guide, "Set up the credential helper"). The empty one first, so that no
 * other helper keeps a password that holds for minutes.
 */
export const CODECOMMIT_SIGN_IN: readonly (readonly [key: string, value: string])[] = [
  ['helper', ''],
  ['helper', '!aws codecommit credential-helper $@'],
  ['UseHttpPath', 'true'],
];

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

/**
 * Makes `git push tandem-aws` work in the application's repository. Somebody else's remote of that name is left alone, and
 * so is a folder that is not the repository's own top.
 */
export async function setUpAwsRemote(git: Git, folder: string, gitUrl: string): Promise<void> {
  if (!(await isRepositoryTop(git, folder))) return;
  if ((await remoteUrl(git, folder, AWS_REMOTE_NAME)) !== undefined) return;
  await git(['remote', 'add', AWS_REMOTE_NAME, gitUrl], { folder });
  for (const [key, value] of CODECOMMIT_SIGN_IN) {
    await git(['config', '--add', `credential.${gitUrl}.${key}`, value], { folder });
  }
}

/** Where a remote points to, `undefined` where there is none. */
export async function remoteUrl(git: Git, folder: string, name = REMOTE_NAME): Promise<string | undefined> {
  const { exitCode, stdout } = await git(['remote', 'get-url', name], { folder });
  return exitCode === 0 ? stdout.trimEnd() : undefined;
}

function isLocalCloudUrl(url: string): boolean {
  return /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?\/git\/[^/]+\.git$/.test(url);
}
