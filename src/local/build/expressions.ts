import { join } from 'node:path';
import { newToken } from '../../platform/random.ts';
import { readTextIfExists } from '../../platform/files.ts';
import { quote } from './shell/driver.ts';
import type { ShellSession } from './shell/shell-session.ts';

/**
 * What the texts of a buildspec's other sections (cache keys, artifact names, folders) stand for: `$VARIABLE` and
 * `$(command)` are expanded by the build's own shell, everything else stays as written.
 */
export type Expand = (text: string) => string;

export async function expandAll(
  session: ShellSession,
  folder: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Expand> {
  const dynamic = [...new Set(texts)].filter(text => /[$`]/.test(text));
  if (dynamic.length === 0) return text => text;
  const separator = `tandem-${newToken(8)}`;
  const path = join(folder, `expanded-${separator}`);
  // The subshell keeps a failing expansion from ending anything else than itself.
  await session.run(
    `( set +eu; cat >${quote(path)} <<${separator}-end\n${dynamic.join(`\n${separator}\n`)}\n${separator}-end\n) || :`,
    signal,
  );
  const values = ((await readTextIfExists(path)) ?? '').replace(/\n$/, '').split(`\n${separator}\n`);
  const expanded = new Map(dynamic.map((text, index) => [text, values[index] ?? '']));
  return text => expanded.get(text) ?? text;
}

/** The values of those variables that are exported now, as a program that the build starts would see them. */
export async function exportedValues(
  session: ShellSession,
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (names.length === 0) return {};
  const path = join(folder, `exported-${newToken(8)}`);
  // Each value is written with a mark before it, which tells an empty one from one that is not set.
  const words = names.map(name => `"\${${name}+=}\${${name}-}"`).join(' ');
  await session.run(`sh -c ${quote(`printf '%s\\0' ${words}`)} >|${quote(path)} || :`, signal);
  const values = ((await readTextIfExists(path)) ?? '').split('\0');
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const value = values[index] ?? '';
      return value.startsWith('=') ? [[name, value.slice(1)]] : [];
    }),
  );
}
