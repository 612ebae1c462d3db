import { userId } from '../../../../platform/process.ts';
import { unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { shellCommands } from './shell-commands.ts';

const group = (why: string, programs: string): [string, string][] =>
  programs.split(' ').map(program => [program, why]);

/** What these programs are for can only be done to this machine, or is worth nothing in an image without a base. */
const REFUSED_PROGRAMS: ReadonlyMap<string, string> = new Map([
  ...group(
    'it would install packages into this machine',
    'apt apt-get aptitude apt-key add-apt-repository dpkg apk yum dnf microdnf tdnf rpm zypper pacman brew snap',
  ),
  ...group(
    "it would change this machine's users",
    'adduser useradd addgroup groupadd usermod groupmod deluser userdel delgroup groupdel passwd chpasswd',
  ),
  ...group("it would change this machine's services", 'systemctl service update-rc.d rc-update'),
  ...group(
    "it would change this machine's kernel or mounts",
    'mount umount sysctl modprobe insmod rmmod swapon losetup',
  ),
  ...group('it would end or restart this machine', 'reboot shutdown poweroff halt init'),
  ...group('it would change this machine', 'update-alternatives locale-gen ldconfig update-ca-certificates'),
  ...group('it asks for rights that a build has not', 'sudo su doas'),
  ...group('there is no container engine', 'docker podman buildah nerdctl'),
]);

const INSTEAD = 'Start Docker or Podman and push again.';

/** Refuses, before anything runs, what no view of the files can make right. `text` is a script or a command line. */
export function refuseMachineChanges(instruction: Instruction, text: string): void {
  for (const { program, words } of shellCommands(text)) {
    const why = REFUSED_PROGRAMS.get(program);
    if (why !== undefined) throw unsupported(instruction, `${program}: ${why}`, insteadOf(program));
    if ((program === 'chown' || program === 'chgrp') && userId !== 0) {
      const owner = words.slice(1).find(word => !word.startsWith('-')) ?? '';
      throw unsupported(
        instruction,
        `${program} ${owner}: only the superuser may give files away`,
        `Write COPY --chown=${owner || 'user'} instead, or start Docker or Podman and push again.`,
      );
    }
  }
}

function insteadOf(program: string): string {
  if (/^(?:add|user|group|del)/.test(program) && /user|group/.test(program))
    return 'Leave the line out and write the user as a number, as in USER 1001, or start Docker or Podman and push again.';
  return INSTEAD;
}

/** Devices that are the same wherever a process looks from. */
const SAME_EVERYWHERE = /^\/dev\/(?:null|zero|full|random|urandom|stdin|stdout|stderr|tty|fd\/\d+)$/;
/** A slash begins an absolute path where nothing of a relative path, and no `http:`, stands before it. */
const ABSOLUTE_PATH = /(?<![\w.*?\]})~@%+\-/$])(?<!:(?=\/\/))\/[\w.*?[\]{}$~@%+\-/]*/g;
/** Interpreters that scripts name by custom; they are only read. */
const INTERPRETERS = /^(?:\/usr)?\/bin\/(?:env|sh|bash)$/;

/**
 * Without a view of its own, a process sees this machine's files at absolute paths, where the Dockerfile means the
 * image's. Refuses a text that names any, or that climbs above the image's root, so that nothing outside the stage
 * is touched because of the translation.
 */
export function refuseForeignPaths(
  instruction: Instruction,
  text: string,
  image: { workingFolder: string; lookup(name: string): string | undefined },
  reason: string,
): void {
  const refuse = (path: string, why: string) =>
    unsupported(instruction, `${path} ${why} (${reason})`, `Write the path relative to WORKDIR. ${INSTEAD}`);
  for (const match of text.matchAll(ABSOLUTE_PATH)) {
    const [path] = match;
    if (!SAME_EVERYWHERE.test(path) && !INTERPRETERS.test(path) && !isComment(text, match.index))
      throw refuse(path, 'is a path of the image, and a plain process would find this machine there');
  }
  if (/(?:^|[\s=:"'])~(?:[/\w]|$|\s)/m.test(text)) throw refuse('~', 'is a folder of the image');
  const climbs = text.match(/(?:^|[\s=:"'/<>])\.\.(?=$|[\s/"';&|)])/gm)?.length ?? 0;
  if (climbs > image.workingFolder.split('/').filter(part => part !== '').length)
    throw refuse('..', "leads out of the image's root");
  for (const [, name = ''] of text.matchAll(/\$\{?([A-Za-z_]\w*)/g)) {
    const value = name === 'PATH' || name === 'HOME' ? undefined : image.lookup(name);
    if (value !== undefined && /(?:^|[\s:=])\/(?!\/)/.test(value))
      throw refuse(
        `$${name} (${value})`,
        'is a path of the image, and a plain process would find this machine there',
      );
  }
}

function isComment(text: string, at: number): boolean {
  const lineStart = text.lastIndexOf('\n', at) + 1;
  return /^\s*#/.test(text.slice(lineStart, at));
}
