import type { ServiceState } from '../../control/deployment/service-state.ts';
import { newService } from '../../control/deployment/service-state.ts';
import { HOUR_MS } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { PipelineEnvironment } from '../../model/names.ts';
import { migrate, type Database, type Statement } from '../../platform/database.ts';
import type { TaskRecord } from './task-record.ts';

const MIGRATIONS = [
  `CREATE TABLE compute_services (
     name TEXT PRIMARY KEY,
     state TEXT NOT NULL
   ) STRICT;
   CREATE TABLE compute_deployments (
     id TEXT PRIMARY KEY,
     token TEXT NOT NULL UNIQUE,
     started_at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE TABLE compute_tasks (
     id TEXT PRIMARY KEY,
     service TEXT NOT NULL,
     number INTEGER NOT NULL,
     is_over INTEGER NOT NULL,
     stopped_at INTEGER,
     body TEXT NOT NULL,
     UNIQUE (service, number)
   ) STRICT;
   CREATE INDEX compute_tasks_over ON compute_tasks (is_over, stopped_at);
   CREATE TABLE compute_service_events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     service TEXT NOT NULL,
     at INTEGER NOT NULL,
     message TEXT NOT NULL
   ) STRICT`,
];

/** Stopped tasks can be looked at for so long, as in ECS. */
const STOPPED_TASKS_KEPT_MS = HOUR_MS;
const DEPLOYMENTS_KEPT = 1_000;
const EVENTS_KEPT = 100;

export type ServiceEvent = { at: Instant; message: string };

/** The tables of the service. Callers group what belongs together in `transaction`. */
export class ComputeStore {
  readonly #selectService: Statement;
  readonly #upsertService: Statement;
  readonly #selectDeployment: Statement;
  readonly #selectDeploymentByToken: Statement;
  readonly #insertDeployment: Statement;
  readonly #updateDeployment: Statement;
  readonly #trimDeployments: Statement;
  readonly #selectTask: Statement;
  readonly #selectLiveTasks: Statement;
  readonly #selectTasks: Statement;
  readonly #insertTask: Statement;
  readonly #updateTask: Statement;
  readonly #trimTasks: Statement;
  readonly #selectEvents: Statement;
  readonly #insertEvent: Statement;
  readonly #trimEvents: Statement;

  constructor(database: Database) {
    migrate(database, 'compute', MIGRATIONS);
    const prepare = (sql: string) => database.prepare(sql);
    this.#selectService = prepare('SELECT state FROM compute_services WHERE name = ?');
    this.#upsertService = prepare(
      'INSERT INTO compute_services VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state',
    );
    this.#selectDeployment = prepare('SELECT body FROM compute_deployments WHERE id = ?');
    this.#selectDeploymentByToken = prepare('SELECT body FROM compute_deployments WHERE token = ?');
    this.#insertDeployment = prepare('INSERT INTO compute_deployments VALUES (?, ?, ?, ?)');
    this.#updateDeployment = prepare('UPDATE compute_deployments SET body = ? WHERE id = ? AND body <> ?');
    this.#trimDeployments = prepare(
      'DELETE FROM compute_deployments WHERE id NOT IN (SELECT id FROM compute_deployments ORDER BY started_at DESC LIMIT ?)',
    );
    this.#selectTask = prepare('SELECT body FROM compute_tasks WHERE id = ?');
    this.#selectLiveTasks = prepare('SELECT body FROM compute_tasks WHERE is_over = 0 ORDER BY rowid');
    this.#selectTasks = prepare('SELECT body FROM compute_tasks WHERE service = ? ORDER BY rowid');
    this.#insertTask = prepare('INSERT OR IGNORE INTO compute_tasks VALUES (?, ?, ?, 0, NULL, ?)');
    this.#updateTask = prepare('UPDATE compute_tasks SET is_over = ?, stopped_at = ?, body = ? WHERE id = ?');
    this.#trimTasks = prepare('DELETE FROM compute_tasks WHERE is_over = 1 AND stopped_at < ?');
    this.#selectEvents = prepare(
      'SELECT at, message FROM compute_service_events WHERE service = ? ORDER BY sequence DESC LIMIT ?',
    );
    this.#insertEvent = prepare('INSERT INTO compute_service_events (service, at, message) VALUES (?, ?, ?)');
    this.#trimEvents = prepare(
      `DELETE FROM compute_service_events WHERE service = ?1 AND sequence <= (
         SELECT sequence FROM compute_service_events WHERE service = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
    );
  }

  service(name: PipelineEnvironment): ServiceState {
    const row = this.#selectService.get(name);
    return row ? (JSON.parse(String(row['state'])) as ServiceState) : newService(name);
  }

  /** Stores the state, and the deployment within it. */
  saveService(state: ServiceState): void {
    this.#upsertService.run(state.service, JSON.stringify(state));
    if (state.deployment) this.updateDeployment(state.deployment);
  }

  deployment(id: string): Deployment | undefined {
    return parseBody(this.#selectDeployment.get(id));
  }

  deploymentByToken(token: string): Deployment | undefined {
    return parseBody(this.#selectDeploymentByToken.get(token));
  }

  insertDeployment(deployment: Deployment, token: string): void {
    this.#insertDeployment.run(deployment.id, token, deployment.startedAt, JSON.stringify(deployment));
    this.#trimDeployments.run(DEPLOYMENTS_KEPT);
  }

  updateDeployment(deployment: Deployment): void {
    const body = JSON.stringify(deployment);
    this.#updateDeployment.run(body, deployment.id, body);
  }

  /** Those that are not STOPPED, or whose end no decision has seen yet; the oldest first. */
  liveTasks(): TaskRecord[] {
    return this.#selectLiveTasks.all().map(row => JSON.parse(String(row['body'])) as TaskRecord);
  }

  /** With those that stopped within the last hour; the oldest first. */
  tasks(service: PipelineEnvironment): TaskRecord[] {
    return this.#selectTasks.all(service).map(row => JSON.parse(String(row['body'])) as TaskRecord);
  }

  /** False, and nothing done, where the service has a task of that number already. */
  insertTask(task: TaskRecord): boolean {
    this.#trimTasks.run(task.createdAt - STOPPED_TASKS_KEPT_MS);
    return this.#insertTask.run(task.id, task.service, task.number, JSON.stringify(task)).changes === 1;
  }

  task(id: string): TaskRecord | undefined {
    const row = this.#selectTask.get(id);
    return row && (JSON.parse(String(row['body'])) as TaskRecord);
  }

  updateTask(task: TaskRecord): void {
    const isOver = task.status === 'STOPPED' && task.isAccounted ? 1 : 0;
    this.#updateTask.run(isOver, task.stoppedAt ?? null, JSON.stringify(task), task.id);
  }

  /** Newest first. */
  events(service: PipelineEnvironment, limit: number): ServiceEvent[] {
    return this.#selectEvents
      .all(service, limit)
      .map(row => ({ at: Number(row['at']), message: String(row['message']) }));
  }

  appendEvent(service: PipelineEnvironment, event: ServiceEvent): void {
    this.#insertEvent.run(service, event.at, event.message);
    this.#trimEvents.run(service, EVENTS_KEPT);
  }
}

function parseBody(row: Record<string, unknown> | undefined): Deployment | undefined {
  return row && (JSON.parse(String(row['body'])) as Deployment);
}
