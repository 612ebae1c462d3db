import { keepCredentials, localRegistry } from '../store/registry-access.ts';
import { RegistryClient } from '../store/registry-client.ts';
import type { Command } from './command.ts';
import { invalidCommand, parseOptions } from './options.ts';

export const login: Command = async (context, argv) => {
  const options = parseOptions('login', argv, {
    username: { type: 'string', short: 'u' },
    password: { type: 'string', short: 'p' },
    'password-stdin': { type: 'boolean' },
  });
  const username = options.value('username');
  const password = options.has('password-stdin')
    ? (await context.readInput()).trim()
    : options.value('password');
  if (username === undefined || !password)
    throw invalidCommand(
      'docker login needs a user and a password',
      'As in: aws ecr get-login-password | docker login --username AWS --password-stdin registry',
    );
  const host = localRegistry(context.settings, hostOf(options.positionals[0]));
  const credentials = { username, password };
  const client = new RegistryClient(host, credentials, context.signal);
  try {
    await client.check();
  } finally {
    client.close();
  }
  keepCredentials(context.settings, host, credentials);
  context.stdout('Login Succeeded\n');
};

export const logout: Command = (context, argv) => {
  const { positionals } = parseOptions('logout', argv, {});
  const host = hostOf(positionals[0]) ?? 'docker.io';
  keepCredentials(context.settings, host, undefined);
  context.stdout(`Removing login credentials for ${host}\n`);
};

/** Scripts write the registry as `host`, `https://host` or `host/repository`. */
function hostOf(server: string | undefined): string | undefined {
  return server?.replace(/^https?:\/\//, '').split('/')[0];
}
