import type { ApprovalRequest, ReleaseRecord } from '../../model/cloud.ts';
import type { Execution } from '../../model/execution.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import type { Service } from '../context.ts';
import type { RefChange } from '../repository/contract.ts';

/** The region's CodePipeline: Source → Build → Staging → Approval → Production. */
export interface Pipeline extends Service {
  /**
   * Starts an execution for a push to the configured branch, once per `sequence`; durable when it returns.
   * `undefined` for any other ref and for deletions.
   */
  handleRefChange(change: RefChange): Execution | undefined;
  /** Serves `/internal/pipeline/…` for peers (long poll for a commit's release); false where not its path. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Newest first. */
  executions(limit: number): Execution[];
  /** By id or unambiguous prefix of at least 4 characters. Throws EXECUTION_UNKNOWN, EXECUTION_AMBIGUOUS. */
  execution(id: string): Execution;
  /** Throws APPROVAL_NOT_WAITING, saying what the execution is doing instead. */
  approve(request: ApprovalRequest): Execution;
  reject(request: ApprovalRequest): Execution;
  /** Throws RETRY_IMPOSSIBLE with the reason. */
  retry(executionId: string, by: string): Execution;
  stopExecution(executionId: string, options: { abandon: boolean; by: string }): Execution;
  /** Throws ROLLBACK_IMPOSSIBLE (no earlier good release, image gone…) or RELEASE_UNKNOWN. */
  rollback(request: { to?: string; by: string }): Execution;
  releases(): ReleaseRecord[];
  onChange(listener: () => void): void;
}
