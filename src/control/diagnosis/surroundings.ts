import { unreachable } from '../../core/assert.ts';
import { formatDuration, HOUR_MS, MINUTE_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type {
  BuildObservation,
  Finding,
  LockObservation,
  NatObservation,
  ReplicationObservation,
} from '../../model/diagnosis.ts';

const STUCK_FACTOR = 3;
const STUCK_AT_LEAST_MS = 10 * MINUTE_MS;
const QUEUED_TOO_LONG_MS = 5 * MINUTE_MS;
/** Of what it is given: who is there will not make it. */
const STUCK_SHARE_OF_TIMEOUT = 0.8;

/** A build that failed, or that runs so long that it will not end well. */
export function buildFindings(build: BuildObservation | undefined, region: string, now: Instant): Finding[] {
  if (!build || build.status === 'succeeded' || build.status === 'stopped') return [];
  const common = { case: 'build' as const, region, subject: `build ${build.id}` };
  const phase = build.phase === undefined ? [] : [{ what: 'phase', seen: build.phase }];
  if (build.status === 'failed') {
    const cause = build.cause ?? 'its log says why';
    return [
      {
        ...common,
        severity: 'error',
        cause: `the newest build failed: ${cause}`,
        evidence: phase,
        mend: `mend what the log names (\`${build.commands.logs}\`), and push; \`${build.commands.retry}\` if it was chance`,
      },
    ];
  }
  const takenMs = now - build.startedAt;
  const isQueued = build.phase === 'QUEUED' || build.phase === 'SUBMITTED';
  const usual = build.usualMs === undefined ? Infinity : build.usualMs * STUCK_FACTOR;
  const limitMs = isQueued
    ? QUEUED_TOO_LONG_MS
    : Math.min(Math.max(usual, STUCK_AT_LEAST_MS), build.timeoutMs * STUCK_SHARE_OF_TIMEOUT);
  if (takenMs <= limitMs) return [];
  const usually = build.usualMs === undefined ? '' : `, usually ${formatDuration(build.usualMs)}`;
  return [
    {
      ...common,
      severity: 'warning',
      cause: isQueued ? 'the build is not begun' : 'the build is stuck',
      evidence: [...phase, { what: 'runs for', seen: `${formatDuration(takenMs)}${usually}` }],
      mend: isQueued
        ? `other builds hold the account’s quota: wait, or ask AWS to raise it; \`${build.commands.stop}\` gives up`
        : `see what it waits for (\`${build.commands.logs}\`); \`${build.commands.stop}\` ends it, build.timeoutMinutes would`,
    },
  ];
}

/** A push is elsewhere within seconds; so far behind, something is in its way. */
const BEHIND_TOO_LONG_MS = MINUTE_MS;

/** A region whose commits are not in another. */
export function replicationFindings(statuses: readonly ReplicationObservation[], region: string): Finding[] {
  return statuses.flatMap(({ peer, state, pendingRefs, lagMs, splits, message, commands }): Finding[] => {
    const common = { case: 'replication' as const, region, subject: `to ${peer}` };
    const waiting = pendingRefs === 1 ? '1 branch or tag waits' : `${pendingRefs} branches or tags wait`;
    const evidence = [
      ...(pendingRefs > 0 ? [{ what: 'pending', seen: `${waiting}, for ${formatDuration(lagMs)}` }] : []),
      ...(message === undefined ? [] : [{ what: 'said', seen: message }]),
    ];
    switch (state) {
      case 'in-sync':
        return [];
      case 'behind':
        if (lagMs < BEHIND_TOO_LONG_MS) return [];
        return [
          {
            ...common,
            severity: 'warning',
            cause:
              pendingRefs > 0
                ? `${peer} lacks commits of ${region}`
                : `nothing goes from ${region} to ${peer}: whether it lacks commits is not known`,
            evidence,
            mend: `it is tried again by itself; see \`${commands.events}\` for what is in its way`,
          },
        ];
      case 'unreachable':
        return [
          {
            ...common,
            severity: pendingRefs > 0 ? 'error' : 'warning',
            cause: `${peer} does not answer ${region}, so commits are in one region less`,
            evidence,
            mend: `bring ${peer} back (\`${commands.peer}\`); it then catches up by itself`,
          },
        ];
      case 'split':
        return [
          {
            ...common,
            severity: 'error',
            cause: `both regions have commits that the other lacks: ${splits.map(({ ref }) => ref).join(', ')}`,
            evidence,
            mend: `merge them: ${commands.merge}`,
          },
        ];
      default:
        return unreachable(state);
    }
  });
}

/** A whole apply of two regions takes less. */
const STALE_LOCK_MS = HOUR_MS;

/** A state that somebody holds: no plan and no apply until it is let go. */
export function lockFindings(locks: readonly LockObservation[], region: string, now: Instant): Finding[] {
  return locks.map(({ stack, who, operation, since }) => {
    const heldMs = Math.max(0, now - since);
    const isStale = heldMs > STALE_LOCK_MS;
    return {
      case: 'state-lock',
      severity: isStale ? 'error' : 'notice',
      region,
      subject: stack,
      cause: isStale
        ? `the state has been locked for ${formatDuration(heldMs)}: whoever held it is most likely gone`
        : `somebody works with the state: wait for them`,
      evidence: [
        { what: 'held by', seen: who },
        { what: 'for', seen: `${operation}, since ${formatDuration(heldMs)}` },
      ],
      mend: isStale ? `ask ${who}; then \`tandem unlock ${stack}\`` : `ask ${who}, or wait`,
    };
  });
}

/** What NAT costs, where a setting would cost less. */
export function natFindings(nat: NatObservation | undefined, region: string): Finding[] {
  if (!nat || nat.gateways === 0) return [];
  const trafficUsd = (nat.trafficGb ?? 0) * nat.usdPerGb;
  const isTrafficDear = trafficUsd > nat.usdPerMonth;
  if (nat.gateways === 1 && !isTrafficDear) return [];
  const gateways = nat.gateways === 1 ? '1 gateway' : `${nat.gateways} gateways`;
  return [
    {
      case: 'nat-cost',
      severity: isTrafficDear ? 'warning' : 'notice',
      region,
      subject: 'network',
      cause: isTrafficDear
        ? `traffic through NAT costs ${trafficUsd.toFixed(0)} USD a month, more than the gateways`
        : `${gateways} cost ${nat.usdPerMonth.toFixed(0)} USD a month before any traffic`,
      evidence: [
        { what: 'gateways', seen: `${gateways}, ${nat.usdPerMonth.toFixed(2)} USD a month` },
        ...(nat.trafficGb === undefined
          ? []
          : [{ what: 'traffic', seen: `${nat.trafficGb.toFixed(1)} GB in 30 days` }]),
      ],
      mend: isTrafficDear
        ? 'find in the flow logs where it goes; images and S3 should go through VPC endpoints (network.nat: none)'
        : 'network.nat: single saves the others; `tandem cost` has every lever',
    },
  ];
}
