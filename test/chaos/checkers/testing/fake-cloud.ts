import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Execution } from '../../../../src/model/execution.ts';
import type { RegionStatus } from '../../../../src/model/status.ts';
import type { CheckedCloud } from '../checked-cloud.ts';

const REGIONS = ['us-east-1', 'us-west-2'] as const;
type RegionName = (typeof REGIONS)[number];

/** Tables as far as checkers read them. */
const TABLES = `
  CREATE TABLE registry_blobs (digest TEXT PRIMARY KEY);
  CREATE TABLE registry_uploads (id TEXT PRIMARY KEY);
  CREATE TABLE pipeline_executions (record TEXT);
  CREATE TABLE compute_deployments (id TEXT PRIMARY KEY, body TEXT);
`;

/** A cloud in which nothing is wrong, with real folders and databases: each test breaks one thing. */
export class FakeCloud implements CheckedCloud {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'checked-cloud-'));
  readonly regions = REGIONS;
  readonly executions: Record<RegionName, Execution[]> = { 'us-east-1': [], 'us-west-2': [] };
  readonly statuses: Record<RegionName, RegionStatus>;

  constructor() {
    this.statuses = { 'us-east-1': statusOf('us-east-1'), 'us-west-2': statusOf('us-west-2') };
    for (const region of REGIONS) {
      mkdirSync(this.folder(region), { recursive: true });
      this.change(region, TABLES);
      new DatabaseSync(join(this.folder(region), 'telemetry.db')).close();
    }
  }

  region(name: string) {
    return {
      status: async () => this.statuses[name as RegionName],
      executions: async () => this.executions[name as RegionName],
    };
  }

  folder(region: string): string {
    return join(this.dataDir, 'regions', region);
  }

  /** Runs statements on a region's database. */
  change(region: RegionName, sql: string): void {
    const database = new DatabaseSync(join(this.folder(region), 'region.db'));
    database.exec(sql);
    database.close();
  }

  remove(): void {
    rmSync(this.dataDir, { recursive: true });
  }
}

export function executionOf(id: string, commit: string, changes: Partial<Execution> = {}): Execution {
  return {
    id,
    number: 1,
    region: 'us-east-1',
    trigger: { kind: 'push', by: 'Ann', ref: 'refs/heads/main' },
    commit: {
      id: commit,
      subject: 'Change',
      author: { name: 'Ann', email: 'ann@example.com' },
      authoredAt: 0,
    },
    status: 'Succeeded',
    stage: 'Production',
    stages: [],
    startedAt: 0,
    ...changes,
  };
}

function statusOf(region: RegionName): RegionStatus {
  return {
    region,
    health: 'healthy',
    problems: [],
    endpoint: 'http://127.0.0.1:1',
    gitUrl: 'http://127.0.0.1:1/git/shop.git',
    branch: 'main',
    services: (['staging', 'production'] as const).map(name => ({
      name,
      url: 'http://127.0.0.1:2',
      desired: 2,
      running: 2,
      pending: 0,
      healthyTargets: 2,
      events: [],
    })),
    replication: [
      {
        peer: region === 'us-east-1' ? 'us-west-2' : 'us-east-1',
        state: 'in-sync',
        pendingRefs: 0,
        lagMs: 0,
        splits: [],
      },
    ],
  };
}
