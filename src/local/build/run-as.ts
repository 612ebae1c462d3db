import { TandemError } from '../../core/error.ts';
import { runCommand, userId } from '../../platform/process.ts';
import { BUILD_PHASE_KEYS, type Buildspec } from './buildspec/schema.ts';
import type { ShellUser } from './shell/shell-session.ts';

/**
 * The users that a buildspec names with `run-as`: `undefined` for the one who runs Tandem, who needs no change; the
 * superuser may become any. Throws RUN_AS_UNAVAILABLE for all others.
 */
export async function resolveUsers(buildspec: Buildspec): Promise<Map<string, ShellUser | undefined>> {
  const names = [buildspec, ...BUILD_PHASE_KEYS.map(key => buildspec.phases[key])].flatMap(
    place => place?.['run-as'] ?? [],
  );
  const users = new Map<string, ShellUser | undefined>();
  for (const name of new Set(names)) users.set(name, await resolveUser(name));
  return users;
}

async function resolveUser(name: string): Promise<ShellUser | undefined> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(option => idOf(option, name)));
  if (uid === undefined || gid === undefined) {
    throw refusal(name, 'there is no such user on this machine');
  }
  if (uid === userId) return undefined;
  if (userId !== 0) throw refusal(name, 'only the superuser can run commands as another user');
  return { uid, gid };
}

async function idOf(option: string, name: string): Promise<number | undefined> {
  const { exitCode, stdout } = await runCommand('id', [option, '--', name]);
  return exitCode === 0 ? Number(stdout.trim()) : undefined;
}

function refusal(name: string, reason: string): TandemError {
  return new TandemError(
    'RUN_AS_UNAVAILABLE',
    `run-as: ${name} cannot be honoured here: ${reason}; remove it from the buildspec, or name one without it as build.buildspec in tandem.config.ts`,
  );
}
