import type { Instruction, Keyword } from '../dockerfile/instruction.ts';
import { invalid, unsupported } from '../dockerfile/instruction.ts';
import type { ProgressStep } from '../progress.ts';
import * as configuration from './configuration.ts';
import { applyCopy } from './copy.ts';
import { applyRun, checkRun } from './run.ts';
import type { Stage, StepOutcome } from './stage.ts';
import { applyWorkdir } from './workdir.ts';

type ApplyConfiguration = (stage: Stage, instruction: Instruction) => Promise<void> | void;
type ApplyStep = (stage: Stage, instruction: Instruction, step: ProgressStep) => Promise<StepOutcome>;

type StepKeyword = 'ADD' | 'COPY' | 'RUN' | 'WORKDIR';
type StepInstruction = Instruction & { keyword: StepKeyword };

/** To add an instruction: its function in a file of its family, its keyword here and in `KEYWORDS`. */
const CONFIGURATION: Readonly<
  Record<Exclude<Keyword, StepKeyword | 'FROM' | 'ONBUILD'>, ApplyConfiguration>
> = {
  ARG: configuration.applyArg,
  CMD: configuration.applyCommand,
  ENTRYPOINT: configuration.applyEntrypoint,
  ENV: configuration.applyEnv,
  EXPOSE: configuration.applyExpose,
  HEALTHCHECK: configuration.applyHealthcheck,
  LABEL: configuration.applyLabel,
  MAINTAINER: configuration.applyMaintainer,
  SHELL: configuration.applyShell,
  STOPSIGNAL: configuration.applyStopSignal,
  USER: configuration.applyUser,
  VOLUME: configuration.applyVolume,
};

/** Those that make files, and so are shown as steps of their own, as BuildKit shows them. */
const STEPS: Readonly<Record<StepKeyword, ApplyStep>> = {
  ADD: applyCopy,
  COPY: applyCopy,
  RUN: applyRun,
  WORKDIR: applyWorkdir,
};

export function isStep(instruction: Instruction): instruction is StepInstruction {
  return Object.hasOwn(STEPS, instruction.keyword);
}

/** Refuses what cannot be honoured, as far as the text alone tells: before anything of the build runs. */
export function checkInstruction(instruction: Instruction): void {
  if (instruction.keyword === 'RUN') checkRun(instruction);
  if (instruction.keyword === 'ONBUILD')
    throw unsupported(instruction, 'ONBUILD is for images that others build on', 'Take the line out.');
}

export async function applyConfiguration(stage: Stage, instruction: Instruction): Promise<void> {
  const { keyword } = instruction;
  if (!Object.hasOwn(CONFIGURATION, keyword)) throw invalid(instruction, `${keyword} cannot stand here`);
  await CONFIGURATION[keyword as keyof typeof CONFIGURATION](stage, instruction);
}

export function applyStep(
  stage: Stage,
  instruction: StepInstruction,
  step: ProgressStep,
): Promise<StepOutcome> {
  return STEPS[instruction.keyword](stage, instruction, step);
}
