import { join } from 'node:path';
import { readTextIfExists } from '../../../../platform/files.ts';
import { unsupported, type Instruction } from '../dockerfile/instruction.ts';
import { resolveWithin } from '../context/scoped-path.ts';
import type { Stage } from './stage.ts';

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Users that well-known base images define (their /etc/passwd is not here, since no base is pulled): Debian's and
 * Alpine's own, `node` of the Node.js images, `nonroot` of distroless and Chainguard, `nginx` of nginx.
 */
const KNOWN_USERS: Readonly<Record<string, number>> = {
  root: 0,
  daemon: 1,
  bin: 2,
  'www-data': 33,
  nginx: 101,
  node: 1000,
  nobody: 65534,
  nonroot: 65532,
};

/** What a tar header's owner fields hold. */
const LARGEST_ID = 0o7777777;

/**
 * `user`, `user:group`, by name or number, to numbers. Names are looked up in the stage's own /etc/passwd and
 * /etc/group, then among those of well-known bases. A lone number is its own group (Dockerfile reference, COPY --chown).
 */
export async function resolveOwner(stage: Stage, instruction: Instruction, text: string): Promise<Owner> {
  const [user = '', group] = text.split(':', 2);
  const account = await findAccount(stage, 'passwd', user);
  const uid = account?.id;
  if (uid === undefined) throw unknownName(instruction, 'user', user);
  if (group === undefined || group === '') return { uid, gid: account?.gid ?? uid };
  const gid = (await findAccount(stage, 'group', group))?.id;
  if (gid === undefined) throw unknownName(instruction, 'group', group);
  return { uid, gid };
}

function unknownName(instruction: Instruction, kind: 'user' | 'group', name: string) {
  return unsupported(
    instruction,
    `there is no ${kind} "${name}": the base image's list of ${kind}s is not on this machine`,
    `Write its number instead, as in "1001", or start Docker or Podman and push again.`,
  );
}

async function findAccount(
  stage: Stage,
  file: 'passwd' | 'group',
  name: string,
): Promise<{ id: number; gid?: number } | undefined> {
  if (/^\d{1,7}$/.test(name) && Number(name) <= LARGEST_ID) return { id: Number(name) };
  if ((await stage.tree()).get(`etc/${file}`) !== undefined) {
    const root = await stage.root();
    const place = resolveWithin(root, `etc/${file}`);
    const text = (place && (await readTextIfExists(join(root, place)))) || '';
    for (const line of text.split('\n')) {
      const fields = line.split(':');
      if (fields[0] !== name || !/^\d+$/.test(fields[2] ?? '')) continue;
      return { id: Number(fields[2]), ...(file === 'passwd' ? { gid: Number(fields[3]) } : {}) };
    }
  }
  const id = Object.hasOwn(KNOWN_USERS, name) ? KNOWN_USERS[name] : undefined;
  return id === undefined ? undefined : { id };
}
