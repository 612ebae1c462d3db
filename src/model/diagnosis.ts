import type { Instant } from '../core/instant.ts';
import type { Environment, RegionName } from './names.ts';
import type { RefSplit, ReplicationStatus } from './status.ts';

/** A task that ended, whoever ended it. */
export interface TaskStop {
  taskId: string;
  at: Instant;
  /** As ECS words it: `CannotPullContainerError: …`, `OutOfMemoryError: …`, `Essential container in task exited`. */
  reason: string;
  exitCode?: number;
}

/** What stands between people, the load balancer and the tasks. */
export interface PortsObservation {
  /** Whether people may reach the load balancer. */
  isBalancerOpen: boolean;
  /** Whether the load balancer's own group lets it reach the tasks. */
  isBalancerOpenToTasks: boolean;
  /** Whether the tasks' group lets the load balancer in. */
  areTasksOpen: boolean;
  port: number;
  balancerGroup: string;
  tasksGroup: string;
}

export interface ServiceObservation {
  environment: Environment;
  desired: number;
  running: number;
  memoryMb: number;
  /** Absent where it could not be seen: then the tasks that run are taken for it. */
  healthyTargets?: number;
  /** Targets that get no requests, each with why, as far as it is told: `Target.Timeout`. */
  otherTargets: { id: string; state: string; reason?: string }[];
  /** Absent where nothing stands in between, as in the local cloud. */
  ports?: PortsObservation;
  /** Newest first. */
  stops: TaskStop[];
  /** The newest lines that tasks wrote, oldest first. */
  logs: string[];
  /** Command lines of the cloud that it is in: the one shows its log, the other goes back to an earlier release. */
  commands: { logs: string; rollBack: string };
}

export interface BuildObservation {
  id: string;
  status: 'running' | 'succeeded' | 'failed' | 'stopped';
  startedAt: Instant;
  /** What it does now, or ended in: `BUILD`, `QUEUED`. */
  phase?: string;
  cause?: string;
  /** How long earlier ones took that succeeded. */
  usualMs?: number;
  timeoutMs: number;
  /** Command lines of the cloud that it is in: they show its log, begin it again, and end it. */
  commands: { logs: string; retry: string; stop: string };
}

/** What the diagnosis needs of a `ReplicationStatus`. */
export interface ReplicationObservation extends Omit<ReplicationStatus, 'splits'> {
  splits: Pick<RefSplit, 'ref'>[];
  /** Command lines of the cloud that it is in: what is in its way, how the peer is, and how splits are merged. */
  commands: { events: string; peer: string; merge: string };
}

export interface LockObservation {
  stack: string;
  who: string;
  operation: string;
  since: Instant;
}

export interface NatObservation {
  gateways: number;
  /** By the price table, for the gateways alone. */
  usdPerMonth: number;
  /** Gigabytes of the last 30 days; absent where nobody counted. */
  trafficGb?: number;
  usdPerGb: number;
}

/** What was seen of one region, and what was not. */
export interface RegionObservation {
  region: RegionName;
  at: Instant;
  services: ServiceObservation[];
  /** Of the newest execution that built something. */
  build?: BuildObservation;
  replication: ReplicationObservation[];
  locks: LockObservation[];
  nat?: NatObservation;
  /** What could not be looked at, and why. */
  unseen: { what: string; reason: string }[];
}

type DiagnosisCase =
  'unreachable' | 'image-pull' | 'memory' | 'build' | 'replication' | 'state-lock' | 'nat-cost';

/** Something that is wrong, why, by what one sees it, and what mends it. */
export interface Finding {
  case: DiagnosisCase;
  /** `error`: people notice, or nothing goes on. `warning`: they will. `notice`: worth knowing. */
  severity: 'error' | 'warning' | 'notice';
  region: RegionName;
  /** `production`, `build`, a peer, a stack. */
  subject: string;
  /** One line. */
  cause: string;
  /** In the order in which it was looked at. */
  evidence: { what: string; seen: string }[];
  /** What to do, with the command or the key of the configuration. */
  mend: string;
}
