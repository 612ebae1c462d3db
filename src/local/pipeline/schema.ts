/** Every table of the pipeline. A released step is never edited; a change is a further step. */
export const PIPELINE_MIGRATIONS = [
  `CREATE TABLE pipeline_executions (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     ref_sequence INTEGER UNIQUE,
     commit_id TEXT NOT NULL,
     is_rollback INTEGER NOT NULL,
     has_ended INTEGER NOT NULL,
     -- The index of the furthest stage that it has come to.
     furthest INTEGER NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX pipeline_executions_under_way ON pipeline_executions (number) WHERE has_ended = 0;
   CREATE INDEX pipeline_executions_by_commit ON pipeline_executions (commit_id, number);
   CREATE INDEX pipeline_executions_by_stage ON pipeline_executions (furthest, number);

   CREATE TABLE pipeline_releases (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     commit_id TEXT NOT NULL,
     digest TEXT NOT NULL,
     built_in TEXT NOT NULL,
     built_at INTEGER NOT NULL,
     source_commit TEXT NOT NULL,
     staging_at INTEGER,
     production_at INTEGER,
     -- Where it stands among the good releases of production; null where it never was one, or was rolled back from.
     good_position INTEGER,
     UNIQUE (commit_id, digest)
   ) STRICT;
   CREATE INDEX pipeline_releases_by_digest ON pipeline_releases (digest);
   CREATE INDEX pipeline_releases_good ON pipeline_releases (good_position) WHERE good_position IS NOT NULL;

   CREATE TABLE pipeline_untold_events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     event TEXT NOT NULL
   ) STRICT`,
];
