/** The functions that run in AWS: folders of `aws/lambda/`. */
export const FUNCTION_NAMES = ['replication', 'remediation', 'rotation', 'supply'] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** A zip each, with `index.mjs` in it. */
export type FunctionArchives = ReadonlyMap<FunctionName, Uint8Array>;

/** Where a function's zip lies, beside the document of a stack that has the function. */
export function archivePath(name: FunctionName): string {
  return `functions/${name}.zip`;
}
