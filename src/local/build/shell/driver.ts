/** The descriptor by which a shell is told what to run and tells how it ended; closed for what the commands start. */
export const CONTROL_DESCRIPTOR = 7;

export interface DriverSettings {
  /** Holds `<name>` for each command; `<name>.folder` and `<name>.variables` are written there after each. */
  folder: string;
  /** Where to begin, unless `restore` knows better. */
  workspace: string;
  /** The name of the state that an earlier shell left. */
  restore: string | undefined;
  /** What its own last state is to be named, written when it exits. */
  exitState: string;
  /** bash can print its functions, so that a new shell has them too. */
  keepsFunctions: boolean;
}

/** The last line of a state that was written in full. */
export const STATE_COMPLETE = '# complete';

/**
 * The script that a build's shell runs: it reads the name of a command, sources it (so that `cd`, variables,
 * functions and options stay, as version 0.2 of the buildspec wants), writes down its folder and exported variables,
 * and answers `<name> <exit status>`. A command that ends the shell (`exit`, `set -e`, `exec`) is noticed by its end;
 * the state then comes from the EXIT trap or, where the command set its own, from the command before.
 *
 * It has to work whatever options the commands set: nothing here may fail under `set -eu`, be seen under `set -x`,
 * or be stopped by `set -C`.
 */
export function driverScript(settings: DriverSettings): string {
  const path = (name: string, suffix = '') => quote(`${settings.folder}/${name}${suffix}`);
  const folder = quote(settings.folder);
  const restored = settings.restore;
  const restore =
    restored === undefined
      ? ''
      : `{ . ${path(restored, '.variables')}; cd -- "$(cat ${path(restored, '.folder')})"; } 2>/dev/null || :\n`;
  return `cd -- ${quote(settings.workspace)}
${restore}_tandem_keep() {
  {
    pwd >| ${folder}/"$1".folder || :
    { ${settings.keepsFunctions ? 'declare -f; ' : ''}export -p; echo '${STATE_COMPLETE}'; } >| ${folder}/"$1".variables || :
  } 2>/dev/null
}
trap '{ _tandem_keep ${settings.exitState}; } 2>/dev/null' EXIT
while { IFS= read -r TANDEM_COMMAND <&${CONTROL_DESCRIPTOR}; } 2>/dev/null; do
  . ${folder}/"$TANDEM_COMMAND" ${CONTROL_DESCRIPTOR}<&-
  {
    TANDEM_STATUS=$?
    _tandem_keep "$TANDEM_COMMAND"
    echo "$TANDEM_COMMAND $TANDEM_STATUS" >&${CONTROL_DESCRIPTOR}
  } 2>/dev/null
done
`;
}

/** A word of POSIX shell that stands for exactly this text. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
