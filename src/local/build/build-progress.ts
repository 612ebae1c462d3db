import { errorMessage, TandemError } from '../../core/error.ts';
import type { Build, BuildPhaseName, BuildStatus } from '../../model/build.ts';
import type { Clock } from '../../platform/clock.ts';
import type { BuildLog } from './build-log.ts';

/** Why a build ends before its phases are through: told to it as the reason of its abort signal. */
export class BuildAbort extends Error {
  override name = 'BuildAbort';
  readonly status: 'STOPPED' | 'TIMED_OUT' | 'FAULT';

  constructor(status: 'STOPPED' | 'TIMED_OUT' | 'FAULT', cause: string) {
    super(cause);
    this.status = status;
  }
}

export interface PhaseFailure {
  status: Exclude<BuildStatus, 'IN_PROGRESS' | 'SUCCEEDED'>;
  /** CodeBuild's phase context: `<status code>: <message>`. */
  context: string;
  /** One line for a person. */
  cause: string;
}

/** Keeps the record of one build while it runs: its phases with their times, its first failure, its end. */
export class BuildProgress {
  readonly build: Build;
  readonly #log: BuildLog;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #onChange: (build: Build) => void;
  #failure: PhaseFailure | undefined;

  constructor(
    build: Build,
    settings: { log: BuildLog; clock: Clock; signal: AbortSignal; onChange: (build: Build) => void },
  ) {
    this.build = build;
    this.#log = settings.log;
    this.#clock = settings.clock;
    this.#signal = settings.signal;
    this.#onChange = settings.onChange;
  }

  get isSucceeding(): boolean {
    return this.#failure === undefined;
  }

  /** Ends QUEUED: the build has its turn. */
  leaveQueue(): void {
    this.#endPhase('SUCCEEDED');
  }

  /**
   * Runs one phase. A failure it returns or throws is recorded; the first one makes the build's status and cause.
   * What is thrown after an abort is the abort.
   */
  async phase(
    name: BuildPhaseName,
    work: () => Promise<PhaseFailure | undefined>,
  ): Promise<PhaseFailure | undefined> {
    this.build.phases.push({ name, status: 'IN_PROGRESS', startedAt: this.#clock.now() });
    this.#onChange(this.build);
    let failure: PhaseFailure | undefined;
    try {
      failure = await work();
    } catch (error) {
      failure = this.#toFailure(error);
    }
    if (this.#signal.aborted && failure !== undefined) failure = this.#toFailure(this.#signal.reason);
    this.#endPhase(failure?.status ?? 'SUCCEEDED', failure?.context);
    if (failure !== undefined) this.#failure ??= failure;
    const [code, message] = splitContext(failure?.context ?? '');
    this.#log.note(`Phase complete: ${name} State: ${failure?.status ?? 'SUCCEEDED'}`);
    this.#log.note(`Phase context status code: ${code} Message: ${message}`);
    return failure;
  }

  /** The build's last change: COMPLETED. */
  complete(): void {
    const at = this.#clock.now();
    const status = this.#failure?.status ?? 'SUCCEEDED';
    this.build.phases.push({ name: 'COMPLETED', status, startedAt: at, endedAt: at });
    this.build.status = status;
    this.build.endedAt = at;
    if (this.#failure !== undefined) this.build.cause = this.#failure.cause;
    this.#onChange(this.build);
  }

  #endPhase(status: BuildStatus, context?: string): void {
    const phase = this.build.phases.at(-1)!;
    phase.status = status;
    phase.endedAt = this.#clock.now();
    if (context !== undefined) phase.context = context;
  }

  #toFailure(error: unknown): PhaseFailure {
    if (this.#signal.aborted) {
      const abort = this.#signal.reason as BuildAbort;
      return { status: abort.status, context: `${abort.status}: ${abort.message}`, cause: abort.message };
    }
    const message = errorMessage(error);
    const [first, ...rest] = message.split('\n');
    this.#log.note(message);
    const cause = rest.length === 0 ? first! : `${first} (and ${rest.length} more, see the build log)`;
    return error instanceof TandemError && error.kind === 'user'
      ? { status: 'FAILED', context: `${error.code}: ${first}`, cause }
      : {
          status: 'FAULT',
          context: `${error instanceof TandemError ? error.code : 'INTERNAL_ERROR'}: ${first}`,
          cause,
        };
  }
}

function splitContext(context: string): [code: string, message: string] {
  const colon = context.indexOf(': ');
  return colon < 0 ? [context, ''] : [context.slice(0, colon), context.slice(colon + 2)];
}
