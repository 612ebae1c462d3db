import { backoffDelayMs } from '../core/backoff.ts';
import { errorMessage } from '../core/error.ts';
import type { Instant } from '../core/instant.ts';
import type { Timer } from '../platform/clock.ts';
import type { ServiceContext } from './context.ts';

const RETRY_BACKOFF = { firstMs: 100, maximumMs: 30_000 };

export interface ReconcileLoop {
  /** Runs soon: at once where nothing runs, once more after the present run otherwise. */
  wake(): void;
  /** Runs at that instant at the latest. Each run forgets the instants asked for before it. */
  wakeAt(at: Instant): void;
  /** Resolves when the present run has ended; nothing runs afterwards. */
  stop(): Promise<void>;
}

/**
 * Level-triggered: an event only wakes the loop, and `reconcile` looks at the world as it is then, so that ten
 * events in a row cost one run and a lost one costs nothing after the next. Two runs never overlap. A run that
 * throws is told as an event (once per distinct message) and tried again with back-off; until then wakes wait,
 * so that a fault which changes something can not spin. Makes its first run by itself.
 */
export function createReconcileLoop(
  context: Pick<ServiceContext, 'clock' | 'random' | 'events'>,
  source: string,
  reconcile: (loop: ReconcileLoop) => void | Promise<void>,
): ReconcileLoop {
  let isStopped = false;
  let isWanted = true;
  let isBackingOff = false;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let failures = 0;
  let lastFailure: string | undefined;

  const loop: ReconcileLoop = {
    wake() {
      isWanted = true;
      runSoon();
    },
    wakeAt(at) {
      if (!isStopped && !isBackingOff && at < timerAt) arm(at);
    },
    async stop() {
      isStopped = true;
      disarm();
      await running;
    },
  };

  const runSoon = () => {
    if (isStopped || isBackingOff || running) return;
    running = Promise.resolve().then(runWhileWanted);
  };

  const runWhileWanted = async () => {
    while (isWanted && !isBackingOff && !isStopped) {
      isWanted = false;
      disarm();
      try {
        await reconcile(loop);
        failures = 0;
        lastFailure = undefined;
      } catch (error) {
        retryLater(errorMessage(error));
      }
    }
    running = undefined;
  };

  const retryLater = (message: string) => {
    if (message !== lastFailure) tellFailure(message);
    lastFailure = message;
    if (isStopped) return;
    failures += 1;
    isWanted = true;
    isBackingOff = true;
    disarm();
    arm(context.clock.now() + backoffDelayMs(RETRY_BACKOFF, failures, context.random));
  };

  /** The event log shares the disk that may be the trouble; the retry must not depend on it. */
  const tellFailure = (message: string) => {
    try {
      context.events.append({
        source,
        type: 'ReconcileFailed',
        severity: 'error',
        message: `The ${source} could not carry on and tries again: ${message}`,
        data: {},
      });
    } catch {
      // Nothing can be written now; the next distinct failure is told again.
    }
  };

  const arm = (at: Instant) => {
    timer?.cancel();
    timerAt = at;
    timer = context.clock.after(at - context.clock.now(), () => {
      disarm();
      isBackingOff = false;
      loop.wake();
    });
  };

  const disarm = () => {
    timer?.cancel();
    timer = undefined;
    timerAt = Number.POSITIVE_INFINITY;
  };

  runSoon();
  return loop;
}
