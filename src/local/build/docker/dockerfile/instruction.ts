import { TandemError } from '../../../../core/error.ts';

export const KEYWORDS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;
export type Keyword = (typeof KEYWORDS)[number];

export interface Heredoc {
  name: string;
  content: string;
  /** False where the name was quoted: nothing in the content is expanded. */
  expand: boolean;
}

export interface Flag {
  name: string;
  /** Absent for a flag without `=`, as `--link`. */
  value?: string;
}

/** One instruction with its continuation lines joined, comments within left out, and flags taken off. */
export interface Instruction {
  keyword: Keyword;
  /** As given on the command line: `Dockerfile`. */
  file: string;
  /** 1 for the first line; the last includes here-documents. */
  line: number;
  endLine: number;
  flags: Flag[];
  /** The whole line, continuation lines joined, as messages show it. */
  original: string;
  /** What follows the flags, unexpanded. */
  text: string;
  heredocs: Heredoc[];
  escape: string;
}

export interface Dockerfile {
  file: string;
  lines: string[];
  instructions: Instruction[];
}

/** `COPY at Dockerfile:12`, as every message about an instruction begins. */
export function placeOf(instruction: Pick<Instruction, 'keyword' | 'file' | 'line'>): string {
  return `${instruction.keyword} at ${instruction.file}:${instruction.line}`;
}

/** What Docker itself would refuse. */
export function invalid(instruction: Instruction, problem: string): TandemError {
  return new TandemError('DOCKERFILE_INVALID', `${placeOf(instruction)}: ${problem}`, {
    data: { file: instruction.file, line: instruction.line },
  });
}

/** What Docker would do and plain processes cannot. */
export function unsupported(instruction: Instruction, why: string, instead?: string): TandemError {
  const mend = instead ?? 'Start Docker or Podman and push again.';
  return new TandemError(
    'DOCKERFILE_UNSUPPORTED',
    `${placeOf(instruction)} cannot be honoured without a container engine: ${why}. ${mend}`,
    { data: { file: instruction.file, line: instruction.line } },
  );
}
