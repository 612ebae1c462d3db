import { checkFlags } from './flags.ts';
import { expandWord, type Expansion } from './expand.ts';
import { invalid, type Dockerfile, type Instruction } from './instruction.ts';
import { parseAssignments, splitWords } from './words.ts';

/** One FROM with what follows it up to the next. */
export interface StagePlan {
  index: number;
  /** Lower case. */
  name?: string;
  from: Instruction;
  base: { kind: 'stage'; index: number } | { kind: 'image'; name: string };
  platform?: string;
  instructions: Instruction[];
}

export interface GlobalArguments {
  /** ARGs before the first FROM, with `--build-arg` applied; a stage sees one after it names it in an ARG. */
  declared: ReadonlyMap<string, string>;
  buildArguments: ReadonlyMap<string, string>;
  /** TARGETPLATFORM and its kin. */
  platformArguments: ReadonlyMap<string, string>;
}

export function expansionFor(
  instruction: Instruction,
  lookup: (name: string) => string | undefined,
): Expansion {
  return {
    lookup,
    escape: instruction.escape,
    refuse(problem) {
      throw invalid(instruction, problem);
    },
  };
}

/** Cuts a Dockerfile into its stages and resolves what each FROM names. */
export function planStages(
  dockerfile: Dockerfile,
  given: Pick<GlobalArguments, 'buildArguments' | 'platformArguments'>,
): { stages: StagePlan[]; globals: GlobalArguments } {
  const declared = new Map<string, string>();
  const globals: GlobalArguments = { ...given, declared };
  const stages: StagePlan[] = [];
  for (const instruction of dockerfile.instructions) {
    if (instruction.keyword === 'FROM') {
      stages.push(planStage(instruction, stages, globals));
      continue;
    }
    const stage = stages.at(-1);
    if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') declareGlobal(instruction, declared, globals);
    else throw invalid(instruction, 'no build stage yet: the first instruction must be FROM (or ARG)');
  }
  if (stages.length === 0)
    throw invalid(dockerfile.instructions[0]!, 'there is no FROM: a Dockerfile needs at least one');
  return { stages, globals };
}

function declareGlobal(
  instruction: Instruction,
  declared: Map<string, string>,
  globals: GlobalArguments,
): void {
  const lookup = (name: string) => declared.get(name) ?? globals.platformArguments.get(name);
  for (const [name, value] of parseArguments(instruction)) {
    const resolved =
      globals.buildArguments.get(name) ??
      (value === undefined ? undefined : expandWord(value, expansionFor(instruction, lookup)));
    if (resolved !== undefined) declared.set(name, resolved);
  }
}

/** `ARG NAME`, `ARG NAME=default` and several of them; defaults are unexpanded. */
export function parseArguments(instruction: Instruction): [string, string | undefined][] {
  return splitWords(instruction.text, instruction.escape).map(word => {
    const [name, value] = word.includes('=')
      ? parseAssignments({ ...instruction, text: word })[0]!
      : [word, undefined];
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw invalid(instruction, `"${name}" cannot be a variable's name`);
    return [name, value];
  });
}

function planStage(from: Instruction, earlier: StagePlan[], globals: GlobalArguments): StagePlan {
  const flags = checkFlags(from, { values: ['platform'] });
  const lookup = (name: string) => globals.declared.get(name) ?? globals.platformArguments.get(name);
  const expand = (word: string) => expandWord(word, expansionFor(from, lookup));
  const words = splitWords(from.text, from.escape);
  const [source, as, alias] = words;
  if (words.length !== 1 && !(words.length === 3 && as!.toUpperCase() === 'AS'))
    throw invalid(from, `"${from.text}" is not "image" or "image AS name"`);
  const base = expand(source!);
  if (base === '')
    throw invalid(from, `"${source!}" expands to nothing: give its ARG a default, or pass --build-arg`);
  const name = alias?.toLowerCase();
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name))
    throw invalid(from, `"${alias}" cannot be a stage's name: a letter, then letters, digits, - _ .`);
  if (earlier.some(stage => stage.name !== undefined && stage.name === name))
    throw invalid(from, `there is a stage named "${alias}" already`);
  const platform = flags.get('platform')?.at(-1);
  const stage = findStage(base, earlier);
  return {
    index: earlier.length,
    ...(name === undefined ? {} : { name }),
    from,
    base:
      stage !== undefined && !/^\d+$/.test(base)
        ? { kind: 'stage', index: stage.index }
        : { kind: 'image', name: base },
    ...(platform === undefined ? {} : { platform: expand(platform) }),
    instructions: [],
  };
}

/** By name (case does not matter) or by number. */
export function findStage<Stage extends { index: number; name?: string }>(
  reference: string,
  stages: readonly Stage[],
): Stage | undefined {
  const byName = stages.find(stage => stage.name === reference.toLowerCase());
  if (byName !== undefined) return byName;
  return /^\d+$/.test(reference) ? stages[Number(reference)] : undefined;
}

/** The stages to build for `target`, in order: it, and all that it takes a base or files from. */
export function neededStages(stages: readonly StagePlan[], target: StagePlan): StagePlan[] {
  const needed = new Set<number>();
  const visit = (stage: StagePlan): void => {
    if (needed.has(stage.index)) return;
    needed.add(stage.index);
    if (stage.base.kind === 'stage') visit(stages[stage.base.index]!);
    for (const instruction of stage.instructions)
      for (const source of sourcesOf(instruction, stages.slice(0, stage.index))) visit(source);
  };
  visit(target);
  return stages.filter(stage => needed.has(stage.index));
}

function sourcesOf(instruction: Instruction, earlier: StagePlan[]): StagePlan[] {
  const names = instruction.flags.flatMap(({ name, value = '' }) => {
    if (instruction.keyword === 'COPY' && name === 'from') return [value];
    if (instruction.keyword !== 'RUN' || name !== 'mount') return [];
    return /(?:^|,)from=([^,]*)/.exec(value)?.[1] ?? [];
  });
  return names.flatMap(name => findStage(name, earlier) ?? []);
}
