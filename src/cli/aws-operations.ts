import type { Instant } from '../core/instant.ts';
import type { Cloud } from '../model/cloud.ts';
import type { Config } from '../model/config/schema.ts';
import type { RegionObservation } from '../model/diagnosis.ts';
import type {
  AwsIdentity,
  ForeignReplication,
  InfrastructureStack,
  Interruption,
  Leftover,
  NameReport,
  QuotaReport,
  StackPlan,
  StackProgress,
  StateBucket,
  StateLock,
  WorkFolder,
} from '../model/infrastructure.ts';
import type { RegionName } from '../model/names.ts';

interface WorkFolderRequest {
  /** Stacks get a folder each in it. */
  root: string;
  /** `terraform`, `tofu`, or a path; absent: whichever is there. */
  program?: string;
  interruption: Interruption;
  onProgress(stack: InfrastructureStack, progress: StackProgress): void;
}

/** The port by which the command line works on AWS. */
export interface AwsOperations {
  /** Throws CREDENTIALS_MISSING, CREDENTIALS_REFUSED or AWS_UNREACHABLE. */
  identify(region: RegionName): Promise<AwsIdentity>;
  /** The application's root modules, those of the state buckets left out. */
  stacks(
    config: Config,
    options: { state: 's3' | 'local'; protect: boolean },
  ): Promise<InfrastructureStack[]>;
  /** Makes the bucket that holds the state of a region's stacks, or puts it right. Throws BUCKET_TAKEN. */
  ensureStateBucket(stack: InfrastructureStack, accountId: string): Promise<StateBucket>;
  readStateLock(stack: InfrastructureStack, accountId: string): Promise<StateLock | undefined>;
  /** Throws LOCK_CHANGED where it is another one by now. */
  removeStateLock(stack: InfrastructureStack, accountId: string, seen: StateLock): Promise<void>;
  /** Empties what AWS would refuse to delete with anything in it. */
  prepareForDeletion(plan: StackPlan, onDone: (what: string) => void): Promise<void>;
  /** Deletes what no state knows of: log groups that AWS made, revisions that releases registered. Says what it deleted. */
  deleteByproducts(config: Config, region: RegionName): Promise<string[]>;
  /** Deletes the bucket of these stacks' states; it stays where it holds anything else, whose keys are given. */
  removeStateBucket(
    stacks: readonly InfrastructureStack[],
    accountId: string,
  ): Promise<{ bucket: string; others: string[] }>;
  /** Everything of the application that AWS still knows, looked for in every region; `unseen` did not answer. */
  takeInventory(
    config: Config,
  ): Promise<{ leftovers: Leftover[]; unseen: { region: RegionName; reason: string }[] }>;
  /** The application as it runs: to be asked and steered. The configuration must have its account. */
  cloud(config: Config): Promise<Cloud>;
  /** Services, builds and replication of a region. What cannot be seen is said in `unseen`, never thrown. */
  observeRegion(
    config: Config,
    region: RegionName,
    now: Instant,
  ): Promise<Omit<RegionObservation, 'locks' | 'nat'>>;
  /** What the registries of these regions replicate besides what the configuration says. */
  foreignReplication(
    config: Config,
    regions: readonly RegionName[],
    accountId: string,
  ): Promise<ForeignReplication>;
  /** What the account has, and may have, of what applying plans takes. Never throws for what cannot be seen. */
  quotaUse(plans: readonly StackPlan[]): Promise<QuotaReport>;
  /** Names of what plans would make that something else has. Never throws for what cannot be seen. */
  nameClashes(plans: readonly StackPlan[]): Promise<NameReport>;
  /** Leaves a stack as it was just applied where the region's scheduled check looks for drift from it. */
  keepDeployed(stack: InfrastructureStack, accountId: string): Promise<void>;
  openWorkFolder(request: WorkFolderRequest): Promise<WorkFolder>;
}
