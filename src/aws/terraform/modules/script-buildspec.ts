/** Whose lines no script may have. */
const END = 'END_OF_SCRIPT';

/** A buildspec that runs one Bash script, in a shell of its own: it may `exit`, and ends at the first failure. */
export function scriptBuildspec(script: string, rest: Readonly<Record<string, unknown>> = {}): string {
  const command = `bash -euo pipefail -O inherit_errexit /dev/fd/3 3<< '${END}'\n${script}${END}`;
  return JSON.stringify({
    version: '0.2',
    env: { shell: 'bash' },
    phases: { build: { 'on-failure': 'ABORT', commands: [command] } },
    ...rest,
  });
}
