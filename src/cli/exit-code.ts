import { TandemError } from '../core/error.ts';
import type { ExecutionStatus } from '../model/execution.ts';

/** What a command's end means to a script; part of the contract, never renumbered. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  rolledBack: 3,
  waiting: 4,
  drift: 5,
  unknown: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const WRONG_USE_CODES: ReadonlySet<string> = new Set([
  'USAGE',
  'ACCOUNT_MISMATCH',
  'REPLICATION_FOREIGN',
  'CONFIG_INVALID',
  'CONFIG_MISSING',
  'CONFIRMATION_MISSING',
  'CUSTOMER_UNKNOWN',
  'COPILOT_MANIFEST_INVALID',
  'COPILOT_SERVICE_AMBIGUOUS',
  'COPILOT_SERVICE_MISSING',
  'COPILOT_WORKSPACE_MISSING',
  'EXECUTIONS_DIFFER',
  'PLAN_INVALID',
  'REGION_UNKNOWN',
  'SOURCE_ELSEWHERE',
  'STACK_UNKNOWN',
  'TARGET_UNSUPPORTED',
]);

/** Nothing was refused and nothing is known to have failed: how it ends was not seen. */
const UNKNOWN_CODES: ReadonlySet<string> = new Set([
  'REGION_UNREACHABLE',
  'INTERRUPTED',
  'EXECUTION_NOT_STARTED',
  'SERVICE_UNSEEN',
]);

/** Contact was lost when what was asked may or may not have been done: nobody refused it. */
export function isLostContact(error: unknown): boolean {
  return error instanceof TandemError && error.code === 'REGION_UNREACHABLE';
}

export function exitCodeOfError(error: unknown): ExitCode {
  const code = error instanceof TandemError ? error.code : '';
  if (UNKNOWN_CODES.has(code)) return EXIT.unknown;
  return WRONG_USE_CODES.has(code) ? EXIT.wrongUse : EXIT.failed;
}

const STATUS_CODES: Record<ExecutionStatus, ExitCode> = {
  Succeeded: EXIT.done,
  RolledBack: EXIT.rolledBack,
  Waiting: EXIT.waiting,
  Failed: EXIT.failed,
  Stopped: EXIT.failed,
  Superseded: EXIT.failed,
  Queued: EXIT.unknown,
  InProgress: EXIT.unknown,
  Stopping: EXIT.unknown,
  Unknown: EXIT.unknown,
};

export function exitCodeOfStatus(status: ExecutionStatus): ExitCode {
  return STATUS_CODES[status];
}

/** From best to worst: a known failure says more than not knowing, and not knowing more than waiting. */
const SEVERITY: readonly ExitCode[] = [
  EXIT.done,
  EXIT.waiting,
  EXIT.drift,
  EXIT.unknown,
  EXIT.rolledBack,
  EXIT.failed,
  EXIT.wrongUse,
];

/** One exit code for what happened in several regions. */
export function worst(codes: readonly ExitCode[]): ExitCode {
  return SEVERITY.findLast(code => codes.includes(code)) ?? EXIT.done;
}
