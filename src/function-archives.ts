import { FUNCTION_NAMES, type FunctionArchives } from './aws/terraform/function-archives.ts';
import { fileURLToPath } from 'node:url';
import { readTextIfExists } from './platform/files.ts';
import { bundleModule } from './platform/module-bundle.ts';
import { encodeZip } from './wire/zip.ts';

/** Lambda's Node.js runtimes bring the AWS SDK, and keep it mended. */
const IN_RUNTIME = ['@aws-sdk/*', '@smithy/*'];

/** The zips of all functions: from `functions/<name>.mjs` beside this file, as published, else bundled from their source. */
export async function functionArchives(): Promise<FunctionArchives> {
  const archives = await Promise.all(
    FUNCTION_NAMES.map(async name => {
      const code = (await readTextIfExists(pathOf(`functions/${name}.mjs`))) ?? (await bundleFunction(name));
      return [name, encodeZip([{ name: 'index.mjs', bytes: Buffer.from(code) }])] as const;
    }),
  );
  return new Map(archives);
}

/** One function as one module: what `functions/<name>.mjs` holds in the published package. */
export function bundleFunction(name: (typeof FUNCTION_NAMES)[number]): Promise<string> {
  return bundleModule(pathOf(`aws/lambda/${name}/handler.ts`), IN_RUNTIME);
}

/** What the scheduled check judges plans by, as one module; published as `functions/drift-check.mjs`. */
export async function driftJudge(): Promise<string> {
  return (await readTextIfExists(pathOf('functions/drift-check.mjs'))) ?? bundleDriftJudge();
}

export function bundleDriftJudge(): Promise<string> {
  return bundleModule(pathOf('aws/operate/drift-check.ts'), []);
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
