import type { Instant } from '../core/instant.ts';
import type { Cloud, UpProgress } from './cloud.ts';
import type { Config } from './config/schema.ts';
import type { RegionName } from './names.ts';
import type { TimingProfile } from './timing.ts';

/** Within the data folder: what belongs to AWS, which the local cloud never touches. It may hold the only record of what is there. */
export const AWS_FOLDER = 'aws';

export interface UpRequest {
  config: Config;
  /** Absolute path of the `tandem.config.ts` that `config` came from. */
  configPath: string;
  /** Absolute. All that the local cloud stores is in here; the command line made the folder already. */
  dataDir: string;
  /** First port of each region's range; 0 takes any free ports. Absent: where the cloud was before, or 8000. */
  portBase?: number;
  timing: TimingProfile;
  /**
   * `foreground`: the cloud ends with this process (`RunningCloud.stop`). `detached`: it runs in processes of its
   * own, and this process may exit as soon as `up` has resolved.
   */
  mode: 'foreground' | 'detached';
  onProgress(progress: UpProgress): void;
  /** Aborted: give up coming up, end what was started, and reject with the signal's reason. */
  signal: AbortSignal;
}

export interface RunningCloud {
  cloud: Cloud;
  /** Regions that did not come up, each with the reason. The others run. Rejecting is for when none did. */
  failures: readonly { region: RegionName; error: unknown }[];
  /**
   * Resolves once the cloud has ended, whoever ended it (`tandem down` elsewhere included), or once another `up` has
   * taken it over, which is none of this process's business any more.
   */
  closed: Promise<'ended' | 'taken-over'>;
  /** Ends it as `down` does. `force`: at once, no waiting for requests and tasks. May be called again to force. */
  stop(options: { force: boolean }): Promise<void>;
}

/** What the local cloud of one data folder amounts to, for `status`, `down` and `destroy`. */
export interface Inventory {
  /** As stored when it was last brought up; absent where the folder holds no cloud. */
  application?: string;
  /** Living processes that belong to it, tasks and balancers included. */
  processes: readonly { pid: number; title: string; region?: RegionName; startedAt?: Instant }[];
  /** Size of the data folder on disk. */
  bytes: number;
}

/** Bringing one application's local cloud up and down. One data folder holds at most one cloud. */
export interface LocalLifecycle {
  /**
   * A cloud that runs already is taken over where config, timing or Tandem itself differ: users' requests go on
   * meanwhile. Throws LOCAL_CLOUD_RUNNING where they are the same. Starts nothing that stays when it throws, and
   * never ends what served users before.
   */
  up(request: UpRequest): Promise<RunningCloud>;
  /**
   * The running cloud of a data folder, `undefined` where none runs. Regions that do not answer are still listed:
   * their operations reject with REGION_UNREACHABLE.
   */
  attach(dataDir: string): Promise<Cloud | undefined>;
  /** Ends every process as a clean stop, keeping all data; does nothing where none runs. */
  down(dataDir: string, onProgress: (progress: UpProgress) => void): Promise<void>;
  /** Ends every process, then deletes the data folder. */
  destroy(dataDir: string, onProgress: (progress: UpProgress) => void): Promise<void>;
  inventory(dataDir: string): Promise<Inventory>;
}
