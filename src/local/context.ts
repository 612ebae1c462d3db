import type { Random } from '../core/random.ts';
import type { Config } from '../model/config/schema.ts';
import type { RegionName } from '../model/names.ts';
import type { TimingProfile } from '../model/timing.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { EventLog, LogStore } from './telemetry/contract.ts';

/** Another region of the same local cloud, and how to reach it. Regions meet over HTTP and Git only. */
export interface Peer {
  region: RegionName;
  /** `http://127.0.2.1:8000`: the peer's control endpoint. */
  endpoint: string;
}

/** What every service of a region is given. */
export interface ServiceContext {
  region: RegionName;
  config: Config;
  timing: TimingProfile;
  /** This service's own folder; no other service reads or writes it. It exists. */
  folder: string;
  /** The region's database; each service has its own tables, prefixed with its name, made by `migrate`. */
  database: Database;
  /** Steady: hours by which somebody sets the time of day are no hours that pass. Events and logs have the time of day. */
  clock: Clock;
  random: Random;
  events: EventLog;
  logs: LogStore;
  peers: readonly Peer[];
  /** `http://127.0.1.1:8000`: this region's control endpoint: `/git/…`, `/v2/…`, `/api/…`, `/internal/…`. */
  endpoint: string;
  /** Shared by the regions and their helper processes; sent as `Authorization: Bearer …` to `/internal/…`. */
  internalToken: string;
}

/** Every service starts, and stops without ending what must outlive it (the balancer, the tasks). */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
