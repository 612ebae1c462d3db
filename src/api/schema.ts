import { z } from '@hono/zod-openapi';
import type { ReleaseRecord } from '../model/cloud.ts';
import type { Deployment, ServiceStatus } from '../model/deployment.ts';
import type { LogEvent, RegionEvent } from '../model/event.ts';
import type { ApprovalRecord, Execution, StageState } from '../model/execution.ts';
import { PIPELINE_ENVIRONMENTS, STAGE_NAMES } from '../model/names.ts';
import type { Commit, Release } from '../model/release.ts';
import type { RegionStatus, ReplicationStatus } from '../model/status.ts';
import type { Waiting } from '../model/waiting.ts';

/*
 * The API's shapes, from which its OpenAPI description is made. Each is declared against the model's type, so
 * that the compiler refuses a shape that has drifted from what the services really answer.
 */

const instant = z.int().describe('Milliseconds since 1970-01-01T00:00:00Z');
const commitId = z.string().describe('Full Git commit id');
export const environment = z.enum(PIPELINE_ENVIRONMENTS);
const stageName = z.enum(STAGE_NAMES);

type Shape<Model> = { [Key in keyof Model]-?: z.ZodType<Model[Key]> };

function shape<Model>(name: string, fields: Shape<Model>): z.ZodType<Model> {
  return z.object(fields).openapi(name) as unknown as z.ZodType<Model>;
}

const waiting = shape<Waiting>('Waiting', { for: z.string(), until: instant.optional() });

const commit = shape<Commit>('Commit', {
  id: commitId,
  subject: z.string(),
  author: z.object({ name: z.string(), email: z.string() }),
  authoredAt: instant,
});

const releaseFields: Shape<Release> = {
  commit: commitId,
  digest: z.string().describe('OCI digest of the image'),
  builtIn: z.string(),
  builtAt: instant,
};
const release = shape<Release>('Release', releaseFields);

export const releaseRecord = shape<ReleaseRecord>('ReleaseRecord', {
  ...releaseFields,
  subject: z.string(),
  runningIn: z.array(environment),
  deployedAt: z.object({ staging: instant.optional(), production: instant.optional() }) as z.ZodType<
    ReleaseRecord['deployedAt']
  >,
  imageAvailable: z.boolean(),
});

const stageState = shape<StageState>('StageState', {
  name: stageName,
  status: z.enum([
    'NotStarted',
    'Queued',
    'InProgress',
    'Waiting',
    'Succeeded',
    'RolledBack',
    'Failed',
    'Stopping',
    'Stopped',
    'Skipped',
  ]),
  attempt: z.int(),
  startedAt: instant.optional(),
  endedAt: instant.optional(),
  summary: z.string().optional(),
  waiting: waiting.optional(),
  buildId: z.string().optional(),
  deploymentId: z.string().optional(),
});

const approvalRecord = shape<ApprovalRecord>('ApprovalRecord', {
  decision: z.enum(['Approved', 'Rejected', 'Expired']),
  by: z.string(),
  comment: z.string(),
  at: instant,
});

export const execution = shape<Execution>('Execution', {
  id: z.string(),
  number: z.int(),
  region: z.string(),
  trigger: z.object({
    kind: z.enum(['push', 'replication', 'manual', 'rollback']),
    by: z.string(),
    ref: z.string(),
  }),
  commit: commit,
  status: z.enum([
    'Queued',
    'InProgress',
    'Waiting',
    'Succeeded',
    'RolledBack',
    'Failed',
    'Stopping',
    'Stopped',
    'Superseded',
    'Unknown',
  ]),
  stage: stageName,
  stages: z.array(stageState),
  cause: z.string().optional(),
  waiting: waiting.optional(),
  release: release.optional(),
  approval: approvalRecord.optional(),
  startedAt: instant,
  endedAt: instant.optional(),
});

const deployment = shape<Deployment>('Deployment', {
  id: z.string(),
  service: environment,
  release: release,
  previous: release.optional(),
  status: z.enum([
    'PENDING',
    'IN_PROGRESS',
    'SUCCESSFUL',
    'STOP_REQUESTED',
    'STOPPED',
    'ROLLBACK_REQUESTED',
    'ROLLBACK_IN_PROGRESS',
    'ROLLBACK_SUCCESSFUL',
    'ROLLBACK_FAILED',
  ]),
  cause: z.string().optional(),
  waiting: waiting.optional(),
  failedTasks: z.int(),
  startedAt: instant,
  steadyAt: instant.optional(),
  endedAt: instant.optional(),
});

const serviceStatus = shape<ServiceStatus>('ServiceStatus', {
  name: environment,
  url: z.string(),
  release: release.optional(),
  desired: z.int(),
  running: z.int(),
  pending: z.int(),
  healthyTargets: z.int(),
  deployment: deployment.optional(),
  events: z.array(z.object({ at: instant, message: z.string() })),
});

const replicationStatus = shape<ReplicationStatus>('ReplicationStatus', {
  peer: z.string(),
  state: z.enum(['in-sync', 'behind', 'split', 'unreachable']),
  pendingRefs: z.int(),
  lagMs: z.number(),
  splits: z.array(
    z.object({
      ref: z.string(),
      here: commitId,
      there: commitId,
      mends: z.array(z.object({ keeps: z.string(), command: z.string() })),
    }),
  ),
  message: z.string().optional(),
});

export const regionStatus = shape<RegionStatus>('RegionStatus', {
  region: z.string(),
  health: z.enum(['healthy', 'degraded', 'unreachable']),
  problems: z.array(z.string()),
  endpoint: z.string(),
  gitUrl: z.string(),
  branch: z.string(),
  services: z.array(serviceStatus),
  execution: execution.optional(),
  replication: z.array(replicationStatus),
});

export const regionEvent = shape<RegionEvent>('RegionEvent', {
  sequence: z.int(),
  at: instant,
  region: z.string(),
  source: z.string(),
  type: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export const logEvent = shape<LogEvent>('LogEvent', {
  sequence: z.int(),
  at: instant,
  group: z.string(),
  stream: z.string(),
  message: z.string(),
});
