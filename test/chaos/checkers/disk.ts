import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CheckedCloud } from './checked-cloud.ts';

/** Every database is whole. Called when nothing runs. */
export function checkDatabases(cloud: CheckedCloud): string[] {
  return cloud.regions.flatMap(region =>
    ['region.db', 'telemetry.db'].flatMap(name =>
      whatIsBroken(join(cloud.folder(region), name)).map(fault => `${region}/${name}: ${fault}`),
    ),
  );
}

/** Every blob has the content that its digest says, every row its file, every file its row. */
export function checkBlobs(cloud: CheckedCloud): string[] {
  return cloud.regions.flatMap(region => {
    const folder = join(cloud.folder(region), 'registry', 'blobs');
    const files = existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
      : [];
    const onDisk = files.map(({ parentPath, name }) => {
      const hex = createHash('sha256')
        .update(readFileSync(join(parentPath, name)))
        .digest('hex');
      return { name, digest: `sha256:${hex}` };
    });
    const altered = onDisk
      .filter(({ name, digest }) => !digest.endsWith(name))
      .map(({ name }) => `${region}: blob ${name} is not what its name says`);
    const rows = withDatabase(join(cloud.folder(region), 'region.db'), database =>
      database
        .prepare('SELECT digest FROM registry_blobs')
        .all()
        .map(row => String(row['digest'])),
    );
    const missing = rows
      .filter(digest => !onDisk.some(blob => blob.digest === digest))
      .map(digest => `${region}: blob ${digest} has no file`);
    const orphaned = onDisk
      .filter(({ digest }) => !rows.includes(digest))
      .map(({ digest }) => `${region}: blob file ${digest} has no row`);
    return [...altered, ...missing, ...orphaned];
  });
}

/** What staging proved is what production got: one execution, one digest. */
export function checkDigests(cloud: CheckedCloud): string[] {
  return cloud.regions.flatMap(region =>
    withDatabase(join(cloud.folder(region), 'region.db'), database => {
      const byExecution = new Map<string, Set<string>>();
      for (const { record } of database.prepare('SELECT record FROM pipeline_executions').all()) {
        const { execution } = JSON.parse(String(record)) as {
          execution: { id: string; stages: { deploymentId?: string }[] };
        };
        const digests = execution.stages
          .map(({ deploymentId }) => deploymentId)
          .filter(id => id !== undefined)
          .map(id => database.prepare('SELECT body FROM compute_deployments WHERE id = ?').get(id)?.['body'])
          .filter(body => body !== undefined)
          .map(body => (JSON.parse(String(body)) as { release: { digest: string } }).release.digest);
        byExecution.set(execution.id, new Set(digests));
      }
      return [...byExecution]
        .filter(([, digests]) => digests.size > 1)
        .map(([id, digests]) => `${region}: execution ${id} deployed ${[...digests].join(' and ')}`);
    }),
  );
}

/** Nothing half-made stays: no temporary files, no workspaces, no files of tasks that are over. Called when nothing runs. */
export function checkLeftovers(cloud: CheckedCloud): string[] {
  return cloud.regions.flatMap(region => {
    const folder = cloud.folder(region);
    const names = (path: string) => (existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : []);
    const temporary = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      path => /\.tmp$|(^|\/)tmp_|\.lock$|\.partial$/.test(path) && !path.includes('compile-cache'),
    );
    const uploads = withDatabase(join(folder, 'region.db'), database =>
      database
        .prepare('SELECT id FROM registry_uploads')
        .all()
        .map(row => String(row['id'])),
    );
    return [
      ...temporary.map(path => `${region}: ${path} was left behind`),
      ...names('build/work').map(name => `${region}: the workspace of build ${name} was left behind`),
      ...names('compute/tasks').map(name => `${region}: files of task ${name} were left behind`),
      ...names('registry/uploads')
        .filter(name => !uploads.includes(name))
        .map(name => `${region}: upload ${name} belongs to nobody`),
    ];
  });
}

function whatIsBroken(path: string): string[] {
  try {
    return withDatabase(path, database => {
      const answer = database.prepare('PRAGMA integrity_check').all();
      const faults = database.prepare('PRAGMA foreign_key_check').all();
      const isWhole = answer[0]?.['integrity_check'] === 'ok' && faults.length === 0;
      return isWhole ? [] : [JSON.stringify([answer, faults])];
    });
  } catch (error) {
    return [String(error)];
  }
}

function withDatabase<Result>(path: string, ask: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path);
  try {
    return ask(database);
  } finally {
    database.close();
  }
}
