/** The module and all that it imports as one ES module; what the runtime brings is left to it. The same source makes the same text. */
export async function bundleModule(path: string, external: readonly string[]): Promise<string> {
  // Only where Tandem runs from its source: what is published carries the bundles.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [path],
    external: [...external],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Comments would carry the paths of this machine.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
