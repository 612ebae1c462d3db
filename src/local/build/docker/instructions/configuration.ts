import { expandWords } from '../dockerfile/expand.ts';
import { parseGoDuration } from '../dockerfile/durations.ts';
import { checkFlags } from '../dockerfile/flags.ts';
import { invalid, type Instruction } from '../dockerfile/instruction.ts';
import { expansionFor, parseArguments } from '../dockerfile/stages.ts';
import { parseAssignments, parseExecForm, splitWords } from '../dockerfile/words.ts';
import type { Stage } from './stage.ts';
import { resolveOwner } from './users.ts';

/** Instructions that change the image's configuration and no file. */
export function applyArg(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const { globals } = stage.session;
  for (const [name, value] of parseArguments(instruction)) {
    const given = globals.buildArguments.get(name) ?? globals.platformArguments.get(name);
    const own = value === undefined ? globals.declared.get(name) : stage.expand(instruction, value);
    stage.arguments.set(name, given ?? own);
  }
  stage.record(`ARG ${instruction.text}`, true);
}

export function applyEnv(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const environment = stage.environment();
  // All values see the environment before this line (Dockerfile reference, "Environment replacement").
  const assigned = parseAssignments(instruction).map(
    ([name, value]) => [stage.expand(instruction, name), stage.expand(instruction, value)] as const,
  );
  for (const [name, value] of assigned) environment.set(name, value);
  stage.config.Env = [...environment].map(([name, value]) => `${name}=${value}`);
  stage.record(`ENV ${assigned.map(([name, value]) => `${name}=${value}`).join(' ')}`, true);
}

export function applyLabel(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const labels: Record<string, string> = {};
  for (const [name, value] of parseAssignments(instruction))
    defineValue(labels, stage.expand(instruction, name), stage.expand(instruction, value));
  const all: Record<string, string> = { ...stage.config.Labels };
  for (const [name, value] of Object.entries(labels)) defineValue(all, name, value);
  stage.config.Labels = all;
  stage.record(
    `LABEL ${Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    true,
  );
}

/** Plain assignment would set the prototype for the name `__proto__`. */
function defineValue(record: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}

export function applyMaintainer(stage: Stage, instruction: Instruction): void {
  stage.config.Labels = { ...stage.config.Labels, maintainer: instruction.text };
  stage.session.warn(
    `MAINTAINER at ${instruction.file}:${instruction.line} is deprecated: write LABEL maintainer=…; it was recorded so`,
  );
  stage.record(`MAINTAINER ${instruction.text}`, true);
}

export async function applyUser(stage: Stage, instruction: Instruction): Promise<void> {
  checkFlags(instruction, { values: [] });
  const user = stage.expand(instruction, instruction.text);
  if (user === '' || /\s/.test(user)) throw invalid(instruction, `"${instruction.text}" is not one user`);
  await resolveOwner(stage, instruction, user);
  stage.config.User = user;
  stage.record(`USER ${user}`, true);
}

export function applyExpose(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const words = expandWords(
    instruction.text,
    expansionFor(instruction, name => stage.lookup(name)),
  );
  const ports = words.flatMap(word => parsePorts(instruction, word));
  stage.config.ExposedPorts = {
    ...stage.config.ExposedPorts,
    ...Object.fromEntries(ports.map(port => [port, {}])),
  };
  stage.record(`EXPOSE ${words.join(' ')}`, true);
}

/** `8080`, `53/udp`, `8000-8010/tcp`. */
function parsePorts(instruction: Instruction, word: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first < 1 || last > 65_535 || last < first)
    throw invalid(instruction, `"${word}" is not a port: write 8080, 8080/udp or 8000-8010`);
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

export function applyVolume(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const words = parseExecForm(instruction.text) ?? splitWords(instruction.text, instruction.escape);
  const paths = words.map(word => stage.expand(instruction, word));
  if (paths.length === 0 || paths.includes('')) throw invalid(instruction, 'a volume needs a path');
  stage.config.Volumes = {
    ...stage.config.Volumes,
    ...Object.fromEntries(paths.map(path => [path, {}])),
  };
  stage.record(`VOLUME [${paths.join(' ')}]`, true);
}

export function applyStopSignal(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const signal = stage.expand(instruction, instruction.text);
  if (!/^(?:SIG)?[A-Z][A-Z0-9+-]*$|^\d{1,2}$/.test(signal))
    throw invalid(instruction, `"${signal}" is not a signal: write SIGTERM or 15`);
  stage.config.StopSignal = signal;
  stage.record(`STOPSIGNAL ${signal}`, true);
}

export function applyShell(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  const shell = parseExecForm(instruction.text);
  if (shell === undefined || shell.length === 0)
    throw invalid(instruction, 'SHELL takes the JSON form only, as in SHELL ["/bin/bash", "-c"]');
  stage.config.Shell = shell;
  stage.record(`SHELL ${JSON.stringify(shell)}`, true);
}

export function applyCommand(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  stage.config.Cmd = commandLine(stage, instruction);
  stage.hasOwnCommand = true;
  stage.record(`CMD ${JSON.stringify(stage.config.Cmd)}`, true);
}

export function applyEntrypoint(stage: Stage, instruction: Instruction): void {
  checkFlags(instruction, { values: [] });
  stage.config.Entrypoint = commandLine(stage, instruction);
  if (!stage.hasOwnCommand) delete stage.config.Cmd;
  stage.record(`ENTRYPOINT ${JSON.stringify(stage.config.Entrypoint)}`, true);
}

function commandLine(stage: Stage, { text }: Instruction): string[] {
  return parseExecForm(text) ?? (text === '' ? [] : [...stage.shell, text]);
}

export function applyHealthcheck(stage: Stage, instruction: Instruction): void {
  const flags = checkFlags(instruction, {
    values: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
  });
  const [, type = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(instruction.text) ?? [];
  stage.record(`HEALTHCHECK ${instruction.text}`, true);
  if (type.toUpperCase() === 'NONE') {
    if (command !== '' || flags.size > 0) throw invalid(instruction, 'HEALTHCHECK NONE takes nothing else');
    stage.config.Healthcheck = { Test: ['NONE'] };
    return;
  }
  if (type.toUpperCase() !== 'CMD' || command === '')
    throw invalid(instruction, 'write HEALTHCHECK [options] CMD command, or HEALTHCHECK NONE');
  const exec = parseExecForm(command);
  const retries = flags.get('retries')?.at(-1);
  if (retries !== undefined && !/^[1-9]\d{0,5}$/.test(retries))
    throw invalid(instruction, `--retries is a whole number of 1 or more, not "${retries}"`);
  const durations = {
    Interval: durationFlag(instruction, flags, 'interval'),
    Timeout: durationFlag(instruction, flags, 'timeout'),
    StartPeriod: durationFlag(instruction, flags, 'start-period'),
    StartInterval: durationFlag(instruction, flags, 'start-interval'),
  };
  stage.config.Healthcheck = {
    Test: exec === undefined ? ['CMD-SHELL', command] : ['CMD', ...exec],
    ...Object.fromEntries(Object.entries(durations).filter(([, value]) => value !== undefined)),
    ...(retries === undefined ? {} : { Retries: Number(retries) }),
  };
}

/** Docker's rule: 0 keeps the default, else at least 1 ms. */
function durationFlag(
  instruction: Instruction,
  flags: ReadonlyMap<string, string[]>,
  name: string,
): number | undefined {
  const text = flags.get(name)?.at(-1);
  if (text === undefined) return undefined;
  const duration = parseGoDuration(text);
  if (duration === undefined || (duration !== 0 && duration < 1e6))
    throw invalid(instruction, `--${name} is a duration of 1ms or more, as 5s or 1m30s, not "${text}"`);
  return duration === 0 ? undefined : duration;
}
