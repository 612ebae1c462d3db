import type { Instant } from '../core/instant.ts';
import type { RegionName } from './names.ts';

/** A Terraform root module of the application, with a state of its own. */
export interface InfrastructureStack {
  /** `us-east-1`, `global`; also the name of its folder. */
  name: string;
  /** Where its state lies, and most of what it makes. */
  region: RegionName;
  /** Terraform's JSON syntax. */
  document: Readonly<Record<string, unknown>>;
  /** What the document reads from its own folder: paths there with `/`. */
  files?: readonly { path: string; content: Uint8Array }[];
  /** Stacks that must be there before this one is planned, and gone only after it; names that are not given do not count. */
  after?: readonly string[];
}

export type ChangeAction = 'create' | 'update' | 'replace' | 'delete' | 'forget';

/** One value that changes; texts as people read them, `undefined` where there is none. */
export interface AttributeChange {
  /** `tags.Owner`, `ingress[0].from_port`. */
  path: string;
  before?: string;
  after?: string;
  /** It is why the resource cannot be changed in place. */
  forcesReplacement: boolean;
}

export interface PlannedChange {
  /** Terraform's: `aws_lb.production_service`. */
  address: string;
  type: string;
  action: ChangeAction;
  /** Why, where Terraform says so: `delete_because_no_resource_config`. */
  reason?: string;
  /** For `update` and `replace`; secrets are never among the texts. */
  attributes: readonly AttributeChange[];
}

/** A resource as a state has it. */
export interface ResourceValues {
  address: string;
  type: string;
  values: Readonly<Record<string, unknown>>;
}

/** What one stack's plan says. */
export interface StackPlan {
  stack: string;
  region: RegionName;
  changes: readonly PlannedChange[];
  /** What somebody or something changed outside Terraform, as found by refreshing. */
  drift: readonly PlannedChange[];
  /** Resources that are in the state, data sources left out. */
  existing: readonly ResourceValues[];
  /** As `terraform show -json` prints it; holds every value in the clear. */
  document: object;
  /**
   * It could not be planned yet, because what it stands on is still to be made: these are the resources that its document
   * describes and its state lacks. It is planned, and compared with this, when its turn to be applied comes.
   */
  isDeferred: boolean;
  /** About how long applying it takes. */
  durationMs: number;
  /** Whether applying it would do anything, outputs included. */
  isApplicable: boolean;
}

export type StackOperation = 'init' | 'plan' | 'apply' | 'destroy';

/** What happens to one resource while a plan is applied. */
export interface ResourceProgress {
  address: string;
  type: string;
  action: 'create' | 'update' | 'delete' | 'read';
  state: 'started' | 'running' | 'done' | 'failed';
  /** Since it was started. */
  elapsedMs: number;
}

export interface StackDiagnostic {
  severity: 'error' | 'warning';
  summary: string;
  detail: string;
  /** The resource that it is about. */
  address?: string;
}

export type StackProgress =
  | { kind: 'operation'; operation: StackOperation; state: 'started' | 'ended' }
  | { kind: 'resource'; resource: ResourceProgress }
  | { kind: 'diagnostic'; diagnostic: StackDiagnostic };

/** Who holds the lock of a stack's state, as Terraform writes it down. */
export interface StateLock {
  id: string;
  /** `OperationTypeApply`… */
  operation: string;
  /** `ada@laptop`. */
  who: string;
  /** ISO 8601, as written; empty where it is not told. */
  created: string;
  /** Where the lock lies. */
  path: string;
}

/** What became of one stack. `skipped`: something that must come before it failed, so it was not begun. */
export type StackOutcome<Value> =
  | { stack: InfrastructureStack; state: 'done'; value: Value }
  | { stack: InfrastructureStack; state: 'failed'; error: unknown }
  | { stack: InfrastructureStack; state: 'skipped'; because: string };

export type PlanMode = 'normal' | 'destroy';

/** How a person stops what runs: `stop` asks Terraform to finish what it has begun, `force` makes it drop that. */
export interface Interruption {
  stop: AbortSignal;
  force: AbortSignal;
}

/** Whose credentials AWS sees. */
export interface AwsIdentity {
  accountId: string;
  /** `arn:aws:sts::123456789012:assumed-role/deployer/ada`. */
  arn: string;
  /** When the credentials end; absent for those that do not. */
  expiresAt?: Instant;
}

/** A bucket for states, after it was made or put right. */
export interface StateBucket {
  name: string;
  region: RegionName;
  state: 'created' | 'mended' | 'unchanged';
  /** Settings that were not as they must be: `versioning`, `encryption`… */
  changed: readonly string[];
}

/** One application's stacks on this machine: their root modules, plans and logs. One process at a time works with them. */
export interface WorkFolder {
  /** `terraform 1.11.4`. */
  readonly program: { name: string; version: string };
  /** Where a stack's root module, its logs and, for a trial, its state lie. */
  folderOf(stack: InfrastructureStack): string;
  /** Makes all stacks ready, and plans them at once as far as they do not stand on each other. Plans are kept for `apply`. */
  plan(stacks: readonly InfrastructureStack[], mode: PlanMode): Promise<StackOutcome<StackPlan>[]>;
  /**
   * Applies exactly what was planned last, in the order that the stacks ask for. Gives their outputs, secrets left out.
   * A stack whose plan turns out otherwise once what it stands on is made fails with PLAN_CHANGED, untouched.
   */
  apply(
    stacks: readonly InfrastructureStack[],
    operation: 'apply' | 'destroy',
  ): Promise<StackOutcome<Record<string, unknown>>[]>;
  /** Deletes the plans, which hold every value in the clear, and lets others work. */
  close(): Promise<void>;
}

/** A rule by which the registry of a region copies images elsewhere. */
export interface ReplicationRule {
  region: RegionName;
  /** What names of repositories begin with; empty: all of them. */
  filters: string[];
  destinations: { region: string; registryId: string }[];
}

/** Rules that are not the application's own; `unseen` regions did not answer. */
export interface ForeignReplication {
  rules: ReplicationRule[];
  unseen: { region: RegionName; reason: string }[];
}

/** What applying plans takes, in one place, of something that an account may have only so much of. */
export interface QuotaUse {
  region: RegionName;
  /** Where the quota is one of each zone: `us-east-1a`. */
  zone?: string;
  /** As people know it: `Elastic IP addresses`. */
  name: string;
  serviceCode: string;
  quotaCode: string;
  /** In the whole account, whoever uses it. */
  inUse: number;
  /** What comes on top of that. */
  adds: number;
  /** Of what is in use, what the application's own tasks have: a deployment keeps them beside the new ones. */
  own?: number;
  /** What may come on top of what is in use instead, if autoscaling goes to its maximum. */
  mayAdd?: number;
  limit: number;
}

/** Quotas that matter to what is planned; `unseen` could not be asked. */
export interface QuotaReport {
  uses: QuotaUse[];
  unseen: { region: RegionName; reason: string }[];
}

/** A name that a plan would give to what it makes, and that something has which is in no state. */
export interface NameClash {
  stack: string;
  region: RegionName;
  /** As people know the kind: `log group`. */
  title: string;
  name: string;
  /** Terraform's, of what would be made: `aws_s3_bucket.artifacts`. */
  address: string;
  /** What is to be known of the other thing, if it is there only in a way: `waits for its deletion`. */
  state?: string;
  /** What removes the other thing, or shows it if data would be lost: the words of a command line. */
  command: readonly string[];
  /** What Terraform imports the other thing by; absent for what AWS would copy into this region from another. */
  importId?: string;
}

/** `unseen` could not be asked. */
export interface NameReport {
  clashes: NameClash[];
  unseen: { region: RegionName; reason: string }[];
}

/** Something of the application that AWS still knows after it should be gone. */
export interface Leftover {
  arn: string;
  region: RegionName;
  /** Terraform's name of its type; absent where it is none that an application has. */
  type?: string;
  /** What deletes it: a command to copy, or where to look. */
  mend: string;
}
