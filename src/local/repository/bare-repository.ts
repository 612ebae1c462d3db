/**
 * The folder of the bare repository: made, configured and tidied at every start. Its configuration and hooks are
 * written anew each time, so that they are always those of the running version.
 */
import { basename, join } from 'node:path';
import type { CommitId } from '../../model/names.ts';
import { delay, type Clock } from '../../platform/clock.ts';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  pathExists,
  readdir,
  readdirSync,
  readTextIfExists,
  rm,
  writeFileDurably,
} from '../../platform/files.ts';
import { HOOK_GREETING } from '../../wire/git/proc-receive.ts';
import type { Git } from './git.ts';

/**
 * Hands receive-pack's conversation to the region process, which moves the refs: descriptor 3 carries it both ways,
 * descriptor 4 brings lines for the pusher. Both are sockets that the region process gave to receive-pack; when it
 * dies they close, the hook ends without an answer, and receive-pack refuses the push. The first thing said is
 * always the same: which features are understood.
 */
const PROC_RECEIVE_HOOK = `#!/bin/sh
printf '${HOOK_GREETING}'
exec 5<&0
cat <&5 >&3 2>/dev/null &
while IFS= read -r line <&4; do printf '%s\\n' "$line" >&2; done
exec cat <&3
`;

const LOCK_PATIENCE_MS = 1_000;
const LOCK_CHECK_MS = 50;

/** The replica that this folder belongs to; `undefined` where the folder is new, or was lost. */
export async function readReplica(git: Git): Promise<string | undefined> {
  const config = (await readTextIfExists(join(git.repositoryPath, 'config'))) ?? '';
  return /^\[tandem\]\n\treplica = (\S+)$/m.exec(config)?.[1];
}

export async function prepareBareRepository(
  git: Git,
  options: { branch: string; hooksFolder: string; replica: string; clock: Clock },
): Promise<void> {
  if (await pathExists(git.repositoryPath)) await removeLeftovers(git.repositoryPath, options.clock);
  await git.output(['init', '--quiet', '--bare', '--template=', git.repositoryPath]);
  mkdirSync(options.hooksFolder, { recursive: true });
  const hook = join(options.hooksFolder, 'proc-receive');
  writeFileDurably(hook, PROC_RECEIVE_HOOK, 0o755);
  chmodSync(hook, 0o755);
  writeFileDurably(join(git.repositoryPath, 'config'), configuration(options));
  await git.output(['symbolic-ref', 'HEAD', `refs/heads/${options.branch}`]);
}

/** The namespaces that are pushed, recorded and replicated; others would change what history means, or are git's own. */
export const SHARED_NAMESPACES = ['refs/heads/', 'refs/tags/', 'refs/notes/'] as const;

/** Every shared ref and the id it has. */
export async function listRefs(git: Git): Promise<Map<string, CommitId>> {
  const text = await git.output(['for-each-ref', '--format=%(objectname) %(refname)', ...SHARED_NAMESPACES]);
  const lines = text.split('\n').filter(line => line !== '');
  return new Map(lines.map(line => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
}

/**
 * - `core.fsync`: what a client was told is on disk survives power loss.
 * - `unpackLimit`: each push stays the one pack it came as (two syncs instead of one an object); maintenance joins them.
 * - `procReceiveRefs`: all ref updates go through the region process.
 * - The three ignored fsck faults are harmless and common in old histories; large hosts let them pass as well.
 */
function configuration(options: { hooksFolder: string; replica: string }): string {
  return `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	fsync = all
	logAllRefUpdates = false
	hooksPath = ${JSON.stringify(options.hooksFolder)}
[gc]
	auto = 0
	cruftPacks = true
[maintenance]
	auto = false
[transfer]
	unpackLimit = 1
[receive]
	autogc = false
	fsckObjects = true
	denyCurrentBranch = ignore
	denyDeleteCurrent = ignore
	denyNonFastForwards = false
	denyDeletes = false
	procReceiveRefs = refs
	advertiseAtomic = true
	advertisePushOptions = true
[receive "fsck"]
	badTimezone = ignore
	missingSpaceBeforeDate = ignore
	zeroPaddedFilemode = ignore
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[tandem]
	replica = ${options.replica}
`;
}

/** A killed git leaves half-received packs, which would only take room, and locks. */
async function removeLeftovers(repositoryPath: string, clock: Clock): Promise<void> {
  await removeLocks(repositoryPath, clock);
  await removeHalfReceived(repositoryPath);
}

/**
 * A killed git leaves lock files, which would block the ref for ever. One that is still at work (it may have outlived
 * its region process by a moment) gets time to finish.
 */
export async function removeLocks(repositoryPath: string, clock: Clock): Promise<void> {
  const end = clock.monotonicMs() + LOCK_PATIENCE_MS;
  let locks = await listLocks(repositoryPath);
  while (locks.length > 0 && clock.monotonicMs() < end) {
    await delay(clock, LOCK_CHECK_MS);
    locks = await listLocks(repositoryPath);
  }
  for (const lock of locks) await rm(join(repositoryPath, lock), { force: true });
}

/** What is there when this is called, and nothing that comes later; to be called while nothing is being received. */
export async function removeHalfReceived(repositoryPath: string): Promise<void> {
  const leftovers = ['objects', 'objects/pack']
    .map(folder => join(repositoryPath, folder))
    .filter(folder => existsSync(folder))
    .flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    .filter(path => basename(path).startsWith('tmp_'));
  for (const path of leftovers) await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

async function listLocks(repositoryPath: string): Promise<string[]> {
  const refs = (await entriesOf(join(repositoryPath, 'refs'), true)).map(path => join('refs', path));
  return [...(await entriesOf(repositoryPath)), ...refs].filter(path => path.endsWith('.lock'));
}

async function entriesOf(folder: string, recursive = false): Promise<string[]> {
  return (await pathExists(folder)) ? readdir(folder, { recursive }) : [];
}
