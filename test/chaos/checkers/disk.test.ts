import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkBlobs, checkDatabases, checkDigests, checkLeftovers } from './disk.ts';
import { FakeCloud } from './testing/fake-cloud.ts';

const REGION = 'us-east-1';
const LAYER = 'a layer';
const HEX = createHash('sha256').update(LAYER).digest('hex');

let cloud: FakeCloud;
beforeEach(() => void (cloud = new FakeCloud()));
afterEach(() => cloud.remove());

test('a damaged database is told', () => {
  expect(checkDatabases(cloud)).toEqual([]);
  const path = join(cloud.folder(REGION), 'region.db');
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4_096, 8_192);
  writeFileSync(path, bytes);
  expect(checkDatabases(cloud)).toEqual([expect.stringContaining('us-east-1/region.db: ')]);
});

test('a row that points nowhere is told', () => {
  cloud.change(
    REGION,
    `PRAGMA foreign_keys = OFF;
     CREATE TABLE child (parent TEXT REFERENCES compute_deployments (id));
     INSERT INTO child VALUES ('nobody');`,
  );
  expect(checkDatabases(cloud)).toEqual([expect.stringContaining('"table":"child"')]);
});

test('a blob with its row and its content is whole', () => {
  writeBlob(HEX, LAYER);
  cloud.change(REGION, `INSERT INTO registry_blobs VALUES ('sha256:${HEX}')`);
  expect(checkBlobs(cloud)).toEqual([]);
});

test('a blob that was altered, one without a file and one without a row are told', () => {
  writeBlob(HEX, 'half a la');
  expect(checkBlobs(cloud)).toContainEqual(`us-east-1: blob ${HEX} is not what its name says`);
  writeBlob(HEX, LAYER);
  expect(checkBlobs(cloud)).toEqual([`us-east-1: blob file sha256:${HEX} has no row`]);
  cloud.change(REGION, `INSERT INTO registry_blobs VALUES ('sha256:${HEX}'), ('sha256:lost')`);
  expect(checkBlobs(cloud)).toEqual(['us-east-1: blob sha256:lost has no file']);
});

test('an execution that gave production another digest than staging is told', () => {
  const execution = { id: 'e1', stages: [{ deploymentId: 'd1' }, {}, { deploymentId: 'd2' }] };
  const body = (digest: string) => JSON.stringify({ release: { digest } });
  cloud.change(
    REGION,
    `INSERT INTO pipeline_executions VALUES ('${JSON.stringify({ execution })}');
     INSERT INTO compute_deployments VALUES ('d1', '${body('sha256:one')}'), ('d2', '${body('sha256:one')}');`,
  );
  expect(checkDigests(cloud)).toEqual([]);
  cloud.change(REGION, `UPDATE compute_deployments SET body = '${body('sha256:two')}' WHERE id = 'd2'`);
  expect(checkDigests(cloud)).toEqual(['us-east-1: execution e1 deployed sha256:one and sha256:two']);
});

test.each([
  ['registry/blobs/x.tmp', 'registry/blobs/x.tmp was left behind'],
  ['repository/repository.git/refs/heads/main.lock', 'main.lock was left behind'],
  ['repository/repository.git/objects/tmp_pack_1', 'tmp_pack_1 was left behind'],
  ['build/work/b1', 'the workspace of build b1 was left behind'],
  ['compute/tasks/t1', 'files of task t1 were left behind'],
  ['registry/uploads/u1', 'upload u1 belongs to nobody'],
])('%s is told', (path, words) => {
  expect(checkLeftovers(cloud)).toEqual([]);
  write(path, '');
  expect(checkLeftovers(cloud)).toEqual([expect.stringContaining(words)]);
});

test('an upload that a client may go on with is no leftover', () => {
  write('registry/uploads/u1', '');
  cloud.change(REGION, `INSERT INTO registry_uploads VALUES ('u1')`);
  expect(checkLeftovers(cloud)).toEqual([]);
});

function writeBlob(hex: string, content: string): void {
  write(join('registry/blobs/sha256', hex), content);
}

function write(path: string, content: string): void {
  const file = join(cloud.folder(REGION), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
