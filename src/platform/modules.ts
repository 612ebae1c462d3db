import { createRequire, getCompileCacheDir, registerHooks } from 'node:module';
import { dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemErrorCode } from '../core/error.ts';
import { nodePath, runCommand } from './process.ts';

/** Writes compiled modules to the folder of NODE_COMPILE_CACHE now, which else happens at an orderly exit only. */
export { flushCompileCache } from 'node:module';

/**
 * What NODE_COMPILE_CACHE is to be for a Node.js process that this one starts: the folder that this one uses, so that
 * the same module is compiled once on a machine. That is most of the time in which a small process starts, and a
 * third of its memory. Where this one uses none, `otherwise`.
 */
export function compileCacheForChildren(otherwise: string): string {
  const own = getCompileCacheDir();
  // Node.js keeps each of its versions apart, in a folder of its own within.
  return own === undefined ? otherwise : dirname(own);
}

export interface ImportOptions {
  /** Bare specifiers and the file each stands for, wherever the import is written: `{ tandem: '/…/src/index.ts' }`. */
  aliases: Readonly<Record<string, string>>;
}

/**
 * Loads a user's ES module (TypeScript's erasable syntax included) and what it imports. Its `.ts` files are ES
 * modules even under a package.json that says `"type": "commonjs"`, as `npm init` writes it.
 */
export async function importModule(path: string, options: ImportOptions): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path).href;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const aliased = options.aliases[specifier];
      if (aliased !== undefined) return { url: pathToFileURL(aliased).href, shortCircuit: true };
      const resolved = next(specifier, context);
      return isTypeScript(resolved.url) ? { ...resolved, format: 'module-typescript' } : resolved;
    },
    load: (target, context, next) =>
      next(target, isTypeScript(target) ? { ...context, format: 'module-typescript' } : context),
  });
  try {
    return createRequire(path)(path) as Record<string, unknown>;
  } catch (error) {
    // Only a module that awaits at its top level cannot be loaded synchronously.
    if (systemErrorCode(error) !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return (await import(url)) as Record<string, unknown>;
  } finally {
    hooks.deregister();
  }
}

/**
 * Where `source` fails to parse, as `node --check` tells it: V8 gives no line with a SyntaxError that is caught.
 * `undefined` where it parses.
 */
export async function syntaxErrorLine(path: string): Promise<number | undefined> {
  const { stderr } = await runCommand(nodePath, ['--check', path]);
  const line = /:(\d+)\r?$/m.exec(stderr.split('\n', 1)[0] ?? '')?.[1];
  return line === undefined ? undefined : Number(line);
}

function isTypeScript(url: string): boolean {
  return (
    url.startsWith('file:') && extname(new URL(url).pathname) === '.ts' && !url.includes('/node_modules/')
  );
}
