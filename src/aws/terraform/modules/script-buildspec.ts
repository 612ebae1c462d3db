/** Whose lines no script may have. */
const END = 'END_OF_SCRIPT';

interface Rest {
  artifacts?: { files: string[] };
  /** Variables of the build for the pipeline's later actions, each with the file that the script writes its value to. */
  exports?: Readonly<Record<string, string>>;
}

/** A buildspec that runs one Bash script, in a shell of its own: it may `exit`, and ends at the first failure. */
export function scriptBuildspec(script: string, { artifacts, exports = {} }: Rest = {}): string {
  const command = `bash -euo pipefail -O inherit_errexit /dev/fd/3 3<< '${END}'\n${script}${END}`;
  const exported = Object.entries(exports).map(([name, file]) => `export ${name}="$(cat ${file})"`);
  return JSON.stringify({
    version: '0.2',
    env: { shell: 'bash', ...(exported.length > 0 && { 'exported-variables': Object.keys(exports) }) },
    phases: { build: { 'on-failure': 'ABORT', commands: [command, ...exported] } },
    ...(artifacts && { artifacts }),
  });
}
