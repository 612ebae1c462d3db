import type { ExecutionRecord } from '../../control/pipeline/state.ts';
import { hasEnded } from '../../control/pipeline/transitions.ts';
import { DAY_MS } from '../../core/duration.ts';
import { TandemError } from '../../core/error.ts';
import type { Execution } from '../../model/execution.ts';
import { STAGE_NAMES, type CommitId, type StageName } from '../../model/names.ts';
import type { Database } from '../../platform/database.ts';

const SHORTEST_PREFIX = 4;
/** CodePipeline shows the executions of the last twelve months; the newest ones stay however old they are. */
const KEPT_MS = 365 * DAY_MS;
const KEPT_AT_LEAST = 1_000;
const FORGOTTEN_AT_ONCE = 20;
/** Above every character of an id: ids that begin with P are those from P up to P and this. */
const AFTER_ANY = '\u{10ffff}';

/** Executions, old and new. Only those under way are ever loaded as a whole; the rest is found by index. */
export class ExecutionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  nextNumber(): number {
    const row = this.#database.prepare('SELECT max(number) AS latest FROM pipeline_executions').get();
    return Number(row?.['latest'] ?? 0) + 1;
  }

  save(record: ExecutionRecord, refSequence?: number): void {
    const { execution } = record;
    this.#database
      .prepare(
        `INSERT INTO pipeline_executions
           (number, id, ref_sequence, commit_id, is_rollback, has_ended, furthest, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET
           has_ended = excluded.has_ended, furthest = excluded.furthest, record = excluded.record`,
      )
      .run(
        execution.number,
        execution.id,
        refSequence ?? null,
        execution.commit.id,
        execution.trigger.kind === 'rollback' ? 1 : 0,
        hasEnded(record) ? 1 : 0,
        furthestStage(execution),
        JSON.stringify(record),
      );
    if (refSequence !== undefined) this.#forgetBefore(execution);
  }

  #forgetBefore({ number, startedAt }: Execution): void {
    this.#database
      .prepare(
        `DELETE FROM pipeline_executions WHERE has_ended = 1 AND number <= ?
           AND number IN (SELECT number FROM pipeline_executions ORDER BY number LIMIT ?)
           AND json_extract(record, '$.execution.startedAt') < ?`,
      )
      .run(number - KEPT_AT_LEAST, FORGOTTEN_AT_ONCE, startedAt - KEPT_MS);
  }

  /** Oldest first. */
  underWay(): ExecutionRecord[] {
    return this.#select('WHERE has_ended = 0 ORDER BY number');
  }

  newest(limit: number): Execution[] {
    return this.#select('ORDER BY number DESC LIMIT ?', limit).map(record => record.execution);
  }

  ofRefChange(sequence: number): Execution | undefined {
    return this.#select('WHERE ref_sequence = ?', sequence)[0]?.execution;
  }

  /** The newest of a commit's executions that have ended. */
  latestEnded(commit: CommitId): Execution | undefined {
    const query = 'WHERE commit_id = ? AND has_ended = 1 ORDER BY number DESC LIMIT 1';
    return this.#select(query, commit)[0]?.execution;
  }

  /** The newest that has come to Production. */
  latestInProduction(): Execution | undefined {
    const production = STAGE_NAMES.indexOf('Production');
    return this.#select('WHERE furthest = ? ORDER BY number DESC LIMIT 1', production)[0]?.execution;
  }

  /** The oldest execution that is newer than `number` and has come to the stage. A rollback comes to Production only. */
  overtaking(number: number, stage: StageName): number | undefined {
    const index = STAGE_NAMES.indexOf(stage);
    const row = this.#database
      .prepare(
        `SELECT min(number) AS number FROM pipeline_executions
         WHERE number > ? AND furthest >= ? AND (is_rollback = 0 OR ? = 1)`,
      )
      .get(number, index, stage === 'Production' ? 1 : 0);
    const found = row?.['number'];
    return found === null || found === undefined ? undefined : Number(found);
  }

  /** By id or unambiguous prefix. Throws EXECUTION_UNKNOWN, EXECUTION_AMBIGUOUS. */
  find(prefix: string): ExecutionRecord {
    const id = prefix.trim().toLowerCase();
    const matches =
      id.length < SHORTEST_PREFIX
        ? []
        : this.#select('WHERE id >= ? AND id < ? ORDER BY id LIMIT 2', id, `${id}${AFTER_ANY}`);
    const [found, another] = matches;
    if (!found) {
      const advice = `give at least ${SHORTEST_PREFIX} characters of an id that this lists: tandem executions`;
      throw new TandemError(
        'EXECUTION_UNKNOWN',
        `No execution has an id that begins with '${prefix}': ${advice}`,
        {
          data: { id: prefix },
        },
      );
    }
    if (another && found.execution.id !== id) {
      const both = `${found.execution.id} and ${another.execution.id}`;
      throw new TandemError('EXECUTION_AMBIGUOUS', `'${prefix}' may mean ${both}: give more of the id`, {
        data: { id: prefix },
      });
    }
    return found;
  }

  #select(query: string, ...values: (string | number)[]): ExecutionRecord[] {
    return this.#database
      .prepare(`SELECT record FROM pipeline_executions ${query}`)
      .all(...values)
      .map(row => JSON.parse(String(row['record'])) as ExecutionRecord);
  }
}

function furthestStage(execution: Execution): number {
  return execution.stages.findLastIndex(({ status }) => status !== 'NotStarted' && status !== 'Skipped');
}
