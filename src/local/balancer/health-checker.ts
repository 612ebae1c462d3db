import { afterCheck, checkIntervalMs, type CheckOutcome } from '../../control/health/target-health.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import { httpRequest, type ClientRequest } from '../../platform/network.ts';
import type { HealthCheckSettings } from './contract.ts';
import type { Target } from './target.ts';

/** Checks one target again and again, each on a connection of its own, and keeps its health record. */
export class HealthChecker {
  readonly #target: Target;
  /** Asked before each check, so that new settings hold from the next one on. */
  readonly #settings: () => HealthCheckSettings;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #timer: Timer | undefined;
  #request: ClientRequest | undefined;
  #isStopped = false;

  constructor(target: Target, settings: () => HealthCheckSettings, clock: Clock, onChange: () => void) {
    this.#target = target;
    this.#settings = settings;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  start(): void {
    const settings = this.#settings();
    const startedMs = this.#clock.monotonicMs();
    this.#check(settings, outcome => {
      if (this.#isStopped) return;
      this.#record(outcome, settings);
      const sinceStartMs = this.#clock.monotonicMs() - startedMs;
      const waitMs = checkIntervalMs(this.#target.record, settings) - sinceStartMs;
      this.#timer = this.#clock.after(Math.max(0, waitMs), () => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#request?.destroy();
  }

  #record(outcome: CheckOutcome, settings: HealthCheckSettings): void {
    const before = this.#target.record;
    const after = afterCheck(before, outcome, settings, this.#clock.monotonicMs());
    this.#target.record = after;
    const isChanged =
      before.health.state !== after.health.state || before.health.description !== after.health.description;
    if (isChanged) this.#onChange();
  }

  /** ALB's own request: `GET <path>`, User-Agent ELB-HealthChecker/2.0, Host `<address>:<port>`, one connection each. */
  #check(settings: HealthCheckSettings, done: (outcome: CheckOutcome) => void): void {
    const { address, port } = this.#target;
    let isDone = false;
    const finish = (outcome: CheckOutcome) => {
      if (isDone) return;
      isDone = true;
      done(outcome);
    };
    const request = httpRequest({
      host: address,
      port,
      path: settings.path,
      agent: false,
      headers: { 'User-Agent': 'ELB-HealthChecker/2.0', Host: `${address}:${port}`, Connection: 'close' },
    });
    const deadline = this.#clock.after(settings.timeoutMs, () => {
      finish({ kind: 'timeout' });
      request.destroy();
    });
    request.on('response', response => {
      // Read to its end, so that the target does not see its answer refused.
      response.on('error', () => undefined).resume();
      finish({ kind: 'answer', status: response.statusCode ?? 0 });
    });
    request.on('error', () => finish({ kind: 'unreachable' }));
    request.on('close', () => {
      deadline.cancel();
      finish({ kind: 'unreachable' });
    });
    this.#request = request;
    request.end();
  }
}
