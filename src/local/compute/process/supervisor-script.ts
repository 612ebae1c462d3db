/*
 * What stands between the region process and a task, so that the task depends on nobody who may be killed: a
 * POSIX shell in a session of its own. It starts the command, waits for it and writes down how it ended. Arguments:
 * the task's folder, then the command. Standard output is the task's log file, opened for appending.
 *
 * `processes` gets two lines, the shell's and the task's own entry of /proc/<pid>/stat (or bare process ids where
 * there is no /proc): number and start time together tell later whether it is still the same process. `exec` keeps
 * both, so the inner shell writes them down before it becomes the task. The outer one says itself who it is: were it
 * killed meanwhile, the inner one's parent would be init. `exit` gets the exit code, 128 + n for signal n. Each is
 * complete when it ends with a newline; both are one write, by the shell itself, for `mv` would be a process more in the
 * way of every start.
 *
 * The command runs in the foreground: a shell starts background commands with SIGINT and SIGQUIT ignored, which
 * some images use as their STOPSIGNAL. The shells' own words ("Killed") go nowhere; the task's go to the log.
 */
export const SUPERVISOR_SCRIPT = `
exec 3>&2 2>/dev/null
folder=$1
shift
read -r self <"/proc/$$/stat" || self=$$
/bin/sh -c '
  folder=$1
  supervisor=$2
  shift 2
  read -r self <"/proc/$$/stat" || self=$$
  printf "%s\\n%s\\n" "$supervisor" "$self" >"$folder/processes" || exit 125
  exec "$@" 2>&3 3>&-
' tandem-task "$folder" "$self" "$@"
code=$?
echo "$code" >"$folder/exit"
exit "$code"
`;
