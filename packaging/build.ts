import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { FUNCTION_NAMES } from '../src/aws/terraform/function-archives.ts';
import { bundleDriftJudge, bundleFunction } from '../src/function-archives.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const TERRAFORM = join(DIST, 'aws', 'terraform');
/** What is imported from outside the folder, or by users. */
const ENTRIES = ['files.js', 'synthesize.js', 'function-archives.js', 'modules/index.js'];

/** Makes `dist/`, what the package holds instead of `src/`. */
async function buildPackage(): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  await promisify(execFile)(process.execPath, [
    join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    import.meta.dirname,
  ]);
  await bundleTerraform();
  await mkdir(join(DIST, 'functions'));
  for (const name of FUNCTION_NAMES) {
    await writeFile(join(DIST, 'functions', `${name}.mjs`), await bundleFunction(name));
  }
  await writeFile(join(DIST, 'functions', 'drift-check.mjs'), await bundleDriftJudge());
}

/** Puts what is used of cdktn and of the provider into the folder's own files; types stay as they are. */
async function bundleTerraform(): Promise<void> {
  const bundled = join(DIST, 'bundled');
  await build({
    entryPoints: ENTRIES.map(entry => join(TERRAFORM, entry)),
    outdir: bundled,
    outbase: TERRAFORM,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    external: ['constructs'],
    // The libraries are CommonJS and ask for modules of Node.js by `require`.
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
    plugins: [outsideStaysOutside],
    logLevel: 'error',
  });
  for (const path of await readdir(TERRAFORM, { recursive: true })) {
    if (path.endsWith('.js')) await rm(join(TERRAFORM, path));
  }
  for (const path of await readdir(bundled, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const from = join(path.parentPath, path.name);
    const to = join(TERRAFORM, relative(bundled, from));
    await mkdir(dirname(to), { recursive: true });
    const text = await readFile(from, 'utf8');
    await writeFile(to, text.replaceAll(`"${DIST}/`, `"${relative(dirname(to), DIST)}/`));
  }
  await rm(bundled, { recursive: true });
}

/** Tandem's other folders are in the package already, and errors are known by their class. Paths are absolute at first. */
const outsideStaysOutside: Plugin = {
  name: 'outside-stays-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const target = resolve(resolveDir, path);
      if (!target.startsWith(DIST + sep) || target.startsWith(TERRAFORM + sep)) return undefined;
      return { path: target, external: true };
    });
  },
};

await buildPackage();
