import { join } from 'node:path';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from '../../../../platform/files.ts';
import { findProgram, nodePath, operatingSystem, userId } from '../../../../platform/process.ts';
import { cleanPath } from '../context/ignore.ts';
import { resolveWithin } from '../context/scoped-path.ts';
import type { PreparedMount } from './run-mounts.ts';

/** Taken from the kernel or from the stage, never from this machine's disk. */
const NOT_OVERLAID: ReadonlySet<string> = new Set(['proc', 'sys', 'dev', 'tmp', 'lost+found']);

/**
 * Lays the machine's folders under the stage's, and enters. Arguments: root, scratch, working folder, overlay
 * options, then triples `overlay lower name`, `bind source target`, `readonly source target` or `tmpfs - target`, then
 * `--` and the command.
 * Each overlay's upper folder is the stage's own, so that whatever the command writes lands in the stage and the
 * machine stays as it is. A folder that the kernel will not overlay (other mounts lie below it) is the stage's alone;
 * Node.js and `env` must be there in the end. The file `entered` says that the view stood; until then messages go to `errors`.
 */
const ENTER_SCRIPT = `
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 scratch=$2 cwd=$3 node=$4 options=$5
shift 5
exec 4>&2 2>"$scratch/errors"
number=0
while [ "$1" != -- ]; do
  case $1 in
    overlay)
      number=$((number + 1))
      mkdir "$scratch/work$number"
      mount -t overlay overlay -o "$options,lowerdir=$2,upperdir=$root/$3,workdir=$scratch/work$number" "$root/$3" || :
      ;;
    bind) mount --bind "$2" "$root$3" ;;
    readonly)
      mount --bind "$2" "$root$3"
      mount -o remount,bind,ro,nosuid,nodev "$root$3"
      ;;
    tmpfs) mount -t tmpfs tmpfs "$root$3" ;;
  esac
  shift 3
done
shift
mount -t proc proc "$root/proc" || mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
for program in /usr/bin/env "$node"; do
  test -x "$root$program" || { echo "$program cannot be seen from a view of its own" >&2; exit 97; }
done
: > "$scratch/entered"
exec 2>&4 4>&-
exec chroot "$root" /bin/sh -c 'cd "$0" && exec /usr/bin/env -i "$@"' "$cwd" "$@"
`;

/** What ends a path within the options of mount. */
const NOT_AN_OPTION = /[,:\\"\n]/;

/** A command to run, and what to do after it. */
export interface EnteredCommand {
  argv: string[];
  /** The view's own environment; the command's is part of `argv`. */
  environment: Record<string, string>;
  /** Names of the top-level folders in which the command sees this machine's files below the stage's. */
  overlaid: ReadonlySet<string>;
  /** Takes away what was made only to be mounted on. To be called when every process has ended. */
  leave(): { entered: boolean; reason: string };
}

/**
 * Gives RUN the root that the Dockerfile means, without a container engine: in mount and process namespaces of its
 * own (and a user namespace where Tandem is not the superuser), the stage's files lie over this machine's as an
 * overlay. Where the kernel or the machine's rules do not allow that, the first attempt tells, and plain processes
 * take over.
 */
export class RootView {
  #reason: string | undefined;

  constructor(workFolder: string) {
    if (operatingSystem !== 'linux') this.#reason = 'this operating system has no mount namespaces';
    else if (findProgram('unshare') === undefined)
      this.#reason = 'the program unshare is not on this machine';
    else if (NOT_AN_OPTION.test(workFolder))
      this.#reason = `mount options cannot hold the path ${workFolder}`;
  }

  /** Why there is none; `undefined` as long as there may be one. */
  get unavailable(): string | undefined {
    return this.#reason;
  }

  giveUp(reason: string): void {
    this.#reason = reason;
  }

  prepare(request: {
    root: string;
    workFolder: string;
    workingFolder: string;
    mounts: readonly PreparedMount[];
    environment: ReadonlyMap<string, string>;
    command: readonly string[];
  }): EnteredCommand {
    const { root, mounts } = request;
    const scratch = mkdtempSync(join(request.workFolder, 'view-'));
    const made: string[] = [];
    const layers = this.#layOut(root, made);
    for (const name of ['proc', 'dev']) makeFolder(join(root, name), 0o755, made);
    makeFolder(join(root, 'tmp'), 0o1777, made);
    const mounted = mounts.flatMap(mount => {
      // Links of the stage are followed here, within it: mount would follow them into this machine.
      const target = resolveWithin(root, mount.target) ?? cleanPath(mount.target);
      makeMountPoint(root, target, mount.isFile, made);
      return [mount.type === 'tmpfs' ? 'tmpfs' : 'bind', mount.source ?? '-', `/${target}`];
    });
    const overlaid = new Set(layers.filter((_, index) => index % 3 === 2));
    if (!overlaid.has(nodePath.split('/')[1]!)) {
      // Tandem lies where the view shows nothing of this machine, below /tmp say: its Node.js is lent by itself.
      makeMountPoint(root, nodePath.slice(1), true, made);
      mounted.push('readonly', nodePath, nodePath);
    }
    const isSuperuser = userId === 0;
    const argv = [
      'unshare',
      ...(isSuperuser ? [] : ['--user', '--map-root-user']),
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      ENTER_SCRIPT,
      'sh',
      root,
      scratch,
      request.workingFolder,
      nodePath,
      isSuperuser ? 'index=off,redirect_dir=off,metacopy=off' : 'userxattr',
      ...layers,
      ...mounted,
      '--',
      ...[...request.environment].map(([name, value]) => `${name}=${value}`),
      ...request.command,
    ];
    return {
      argv,
      overlaid,
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      leave: () => {
        for (const path of made.reverse()) unmake(path);
        const errors = join(scratch, 'errors');
        const lines = existsSync(errors) ? readFileSync(errors, 'utf8').split('\n') : [];
        return {
          entered: existsSync(join(scratch, 'entered')),
          reason: lines.findLast(line => /^\S/.test(line)) ?? 'namespaces are not allowed here',
        };
      },
    };
  }

  /** Mounts for the machine's top-level folders; those that are links are links in the stage too. */
  #layOut(root: string, made: string[]): string[] {
    return readdirSync('/').flatMap(name => {
      if (NOT_OVERLAID.has(name) || NOT_AN_OPTION.test(name)) return [];
      const own = join('/', name);
      const place = join(root, name);
      const found = lstatSync(own, { throwIfNoEntry: false });
      const isTaken = lstatSync(place, { throwIfNoEntry: false }) !== undefined;
      if (found?.isSymbolicLink() && !isTaken) {
        symlinkSync(readlinkSync(own), place);
        made.push(place);
        return [];
      }
      const lower = existsSync(own) ? realpathSync(own) : own;
      if (!isReadableFolder(lower)) return [];
      makeFolder(place, lstatSync(lower).mode & 0o7777, made);
      if (!lstatSync(place).isDirectory()) return [];
      return ['overlay', lower, name];
    });
  }
}

/** The superuser's own folder, say, is nothing that an overlay of somebody else could show. */
function isReadableFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function makeFolder(path: string, mode: number, made: string[]): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(path);
  chmodSync(path, mode);
  made.push(path);
}

function makeMountPoint(root: string, target: string, isFile: boolean, made: string[]): void {
  const parts = target.split('/');
  for (let length = 1; length < parts.length + (isFile ? 0 : 1); length += 1)
    makeFolder(join(root, ...parts.slice(0, length)), 0o755, made);
  const place = join(root, ...parts);
  if (!isFile || lstatSync(place, { throwIfNoEntry: false }) !== undefined) return;
  writeFileSync(place, '');
  made.push(place);
}

/** A folder goes where it is empty again; what RUN put into it makes it part of the image. */
function unmake(path: string): void {
  try {
    const found = lstatSync(path);
    if (found.isDirectory()) rmdirSync(path);
    else if (found.isSymbolicLink() || found.size === 0) unlinkSync(path);
  } catch {
    // Not empty, or RUN took it away.
  }
}
