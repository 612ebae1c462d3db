/**
 * The registry's tables. A blob is stored once per region and linked to each repository that may serve it; manifests,
 * being small, live here whole. What a manifest names is kept beside it (`registry_references`), so that no
 * decision needs to parse stored documents again.
 */
export const REGISTRY_MIGRATIONS: readonly string[] = [
  `CREATE TABLE registry_blobs (
     digest TEXT PRIMARY KEY,
     size INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE registry_links (
     repository TEXT NOT NULL,
     digest TEXT NOT NULL REFERENCES registry_blobs,
     touched_at INTEGER NOT NULL,
     PRIMARY KEY (repository, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX registry_links_by_digest ON registry_links (digest);

   CREATE TABLE registry_manifests (
     repository TEXT NOT NULL,
     digest TEXT NOT NULL,
     media_type TEXT NOT NULL,
     artifact_type TEXT,
     subject TEXT,
     pushed_at INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (repository, digest)
   ) STRICT;
   CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject) WHERE subject IS NOT NULL;

   CREATE TABLE registry_references (
     repository TEXT NOT NULL,
     manifest TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
     target TEXT NOT NULL,
     PRIMARY KEY (repository, manifest, kind, target),
     FOREIGN KEY (repository, manifest) REFERENCES registry_manifests ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX registry_references_by_target ON registry_references (repository, target);

   CREATE TABLE registry_tags (
     repository TEXT NOT NULL,
     tag TEXT NOT NULL,
     digest TEXT NOT NULL,
     PRIMARY KEY (repository, tag),
     FOREIGN KEY (repository, digest) REFERENCES registry_manifests ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);

   CREATE TABLE registry_uploads (
     id TEXT PRIMARY KEY,
     repository TEXT NOT NULL,
     source_digest TEXT,
     touched_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];
