import { trafficShares } from '../../control/health/slow-start.ts';
import { takeWeightedTurn } from '../../control/health/weighted-turn.ts';
import type { Timer } from '../../platform/clock.ts';
import type { TargetGroup } from './contract.ts';
import { TargetGroupCounter } from './counters.ts';
import { HealthChecker } from './health-checker.ts';
import type { ProxyContext } from './proxy-context.ts';
import { Target, type TargetAddress } from './target.ts';

/** A target with what watches over it. */
interface Member {
  target: Target;
  checker: HealthChecker | undefined;
  drainTimer: Timer | undefined;
}

/**
 * A target group at work: its targets with their health checks, those that drain, and whose turn it is. The list
 * of those that may get a request (`#eligible`) is made when health changes, not when a request comes.
 */
export class RunningTargetGroup {
  readonly name: string;
  readonly counter = new TargetGroupCounter();
  #settings: TargetGroup;
  readonly #context: ProxyContext;
  /** Called after any change of health or draining. */
  readonly #onChange: () => void;
  #members: Member[] = [];
  #eligible: Target[] = [];
  #turn = 0;
  /** Until when (monotonic) some target may be in its slow start. */
  #rampingUntilMs = 0;
  #credits: number[] = [];

  constructor(settings: TargetGroup, context: ProxyContext, onChange: () => void) {
    this.name = settings.name;
    this.#settings = settings;
    this.#context = context;
    this.#onChange = onChange;
  }

  /** Takes over new settings: registers what is newly listed, drains what no longer is. */
  apply(settings: TargetGroup): void {
    this.#settings = settings;
    for (const member of this.#members) {
      if (!settings.targets.some(listed => isSameTarget(listed, member.target))) this.#deregister(member);
    }
    for (const listed of settings.targets) this.#register(listed);
    this.#updateEligible();
  }

  /** The group is no longer configured: all its targets drain. */
  retire(): void {
    this.apply({ ...this.#settings, targets: [] });
  }

  /** Nothing is left, not even a draining target. */
  get isGone(): boolean {
    return this.#members.length === 0;
  }

  get hasTargets(): boolean {
    return this.#eligible.length > 0;
  }

  get targets(): Target[] {
    return this.#members.map(member => member.target);
  }

  /**
   * The target whose turn it is, other than those in `tried`; `undefined` where there is none. A request that no healthy
   * target took may go to one whose health nobody knows yet: it may be the last one's replacement.
   */
  pick(nowMs: number, tried: ReadonlySet<Target> | undefined): Target | undefined {
    const candidates =
      tried === undefined ? this.#eligible : this.#eligible.filter(target => !tried.has(target));
    if (candidates.length === 0 && tried !== undefined) return this.#unchecked(tried);
    if (candidates.length <= 1) return candidates[0];
    if (this.#settings.algorithm === 'least_outstanding_requests') return this.#leastOutstanding(candidates);
    return nowMs < this.#rampingUntilMs ? this.#ramped(candidates, nowMs) : this.#next(candidates);
  }

  /** Ends everything at once: the process ends. */
  close(): void {
    for (const member of this.#members) {
      member.checker?.stop();
      member.drainTimer?.cancel();
      member.target.cut();
    }
  }

  #unchecked(tried: ReadonlySet<Target>): Target | undefined {
    return this.targets.find(target => target.record.health.state === 'initial' && !tried.has(target));
  }

  #next(candidates: Target[]): Target {
    this.#turn = (this.#turn + 1) % candidates.length;
    return candidates[this.#turn]!;
  }

  /** Equals take turns, since the search starts at another one each time. */
  #leastOutstanding(candidates: Target[]): Target {
    let chosen = this.#next(candidates);
    for (let step = 1; step < candidates.length; step += 1) {
      const other = candidates[(this.#turn + step) % candidates.length]!;
      if (other.outstanding < chosen.outstanding) chosen = other;
    }
    return chosen;
  }

  #ramped(candidates: Target[], nowMs: number): Target {
    const healthySince = candidates.map(target => target.record.healthySince ?? 0);
    const shares = trafficShares(healthySince, this.#settings.slowStartMs, nowMs);
    if (shares === undefined || candidates !== this.#eligible) return this.#next(candidates);
    return candidates[takeWeightedTurn(this.#credits, shares)]!;
  }

  #register(listed: TargetAddress): void {
    const known = this.#members.find(member => isSameTarget(listed, member.target));
    if (known === undefined) {
      const target = new Target(listed, this.#context);
      const member: Member = { target, checker: undefined, drainTimer: undefined };
      target.onIdle = () => this.#endDrainingIfIdle(member);
      this.#members.push(member);
      this.#startChecks(member);
    } else if (known.target.isDraining) {
      known.drainTimer?.cancel();
      known.drainTimer = undefined;
      known.target.register();
      this.#startChecks(known);
    }
  }

  #startChecks(member: Member): void {
    const policy = () => this.#settings.healthCheck;
    member.checker = new HealthChecker(member.target, policy, this.#context.clock, () => {
      this.#updateEligible();
      this.#onChange();
    });
    member.checker.start();
  }

  #deregister(member: Member): void {
    if (member.target.isDraining) return;
    member.checker?.stop();
    member.checker = undefined;
    member.target.startDraining();
    const { deregistrationDelayMs } = this.#settings;
    member.drainTimer = this.#context.clock.after(deregistrationDelayMs, () => this.#endDraining(member));
    this.#endDrainingIfIdle(member);
  }

  #endDrainingIfIdle(member: Member): void {
    const isOver = member.target.isDraining && member.target.outstanding === 0;
    if (isOver && this.#settings.drainingEndsWhenIdle) this.#endDraining(member);
  }

  #endDraining(member: Member): void {
    if (!this.#members.includes(member)) return;
    this.#members = this.#members.filter(other => other !== member);
    member.drainTimer?.cancel();
    member.target.cut();
    this.#onChange();
  }

  /** Healthy targets, or, where there is none, all that are registered (ALB fails open). */
  #updateEligible(): void {
    const registered = this.targets.filter(target => !target.isDraining);
    const healthy = registered.filter(target => target.record.health.state === 'healthy');
    this.#eligible = healthy.length > 0 ? healthy : registered;
    this.#credits = this.#eligible.map(() => 0);
    const latest = Math.max(0, ...healthy.map(target => target.record.healthySince ?? 0));
    const { slowStartMs } = this.#settings;
    this.#rampingUntilMs = slowStartMs === 0 || healthy.length === 0 ? 0 : latest + slowStartMs;
  }
}

function isSameTarget(one: TargetAddress, other: TargetAddress): boolean {
  return one.id === other.id && one.address === other.address && one.port === other.port;
}
