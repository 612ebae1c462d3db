import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateRepositoryCommand,
  ECRClient,
  ListImagesCommand,
  PutImageCommand,
  PutReplicationConfigurationCommand,
} from '@aws-sdk/client-ecr';
import { ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CreateLogGroupCommand, CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { configSchema } from '../../src/model/config/schema.ts';
import type { InfrastructureStack } from '../../src/model/infrastructure.ts';
import { findProgram } from '../../src/platform/process.ts';
import { runCli } from '../../src/cli/testing/command-run.ts';
import { startMoto, type Moto } from './moto.ts';

/* What is done on AWS through its SDK, against moto: state buckets, locks, emptying, and the search for what is left. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of working on AWS are skipped: there is no moto_server on PATH.');

const ACCOUNT_ID = '123456789012';
const REGION = 'eu-west-1';
const BUCKET = `shop-state-${ACCOUNT_ID}-${REGION}`;
const config = configSchema.parse({ application: 'shop', regions: [REGION], aws: { accountId: ACCOUNT_ID } });
const stack: InfrastructureStack = {
  name: REGION,
  region: REGION,
  document: {
    terraform: { backend: { s3: { bucket: BUCKET, key: `${REGION}.tfstate`, region: REGION } } },
    provider: {
      aws: [{ default_tags: [{ tags: { ManagedBy: 'tandem', Application: 'shop', Customer: 'internal' } }] }],
    },
  },
};

describe.skipIf(isMissing)('on AWS', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  const earlier = { ...process.env };
  let moto: Moto;
  let s3: S3Client;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-operate-'));
    moto = await startMoto();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
    });
    s3 = new S3Client({ region: REGION });
  }, 60_000);

  afterAll(async () => {
    process.env = earlier;
    await moto[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('credentials tell whose they are', async () => {
    expect(await aws.identify(REGION)).toMatchObject({ accountId: ACCOUNT_ID });
  });

  test('rules that replicate for others are told from the application’s own', async () => {
    const ecr = new ECRClient({ region: REGION });
    const ask = (replicateAlso: string[]) =>
      aws.foreignReplication(
        { ...config, registry: { ...config.registry, replicateAlso } },
        [REGION],
        ACCOUNT_ID,
      );
    expect(await ask([])).toEqual({ rules: [], unseen: [] });
    const destinations = [{ region: 'us-west-2', registryId: ACCOUNT_ID }];
    const ruleFor = (...filters: string[]) => ({
      destinations,
      repositoryFilters: filters.map(filter => ({ filter, filterType: 'PREFIX_MATCH' as const })),
    });
    const rules = [ruleFor('shop', 'billing-')];
    await ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }));
    expect(await ask([])).toEqual({
      rules: [{ region: REGION, filters: ['shop', 'billing-'], destinations }],
      unseen: [],
    });
    expect((await ask(['bill'])).rules).toEqual([]);
    await ecr.send(
      new PutReplicationConfigurationCommand({ replicationConfiguration: { rules: [{ destinations }] } }),
    );
    expect((await ask(['bill'])).rules).toEqual([{ region: REGION, filters: [], destinations }]);
    await ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules: [] } }));
  });

  test('a state bucket is made once, and put right where somebody has changed it', async () => {
    const ensure = () => aws.ensureStateBucket(stack, ACCOUNT_ID);
    const place = { name: BUCKET, region: REGION };
    expect(await ensure()).toEqual({ ...place, state: 'created', changed: [] });
    expect(await ensure()).toEqual({ ...place, state: 'unchanged', changed: [] });
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Suspended' } }),
    );
    expect(await ensure()).toEqual({ ...place, state: 'mended', changed: ['versioning'] });
    expect(await s3.send(new GetBucketVersioningCommand({ Bucket: BUCKET }))).toMatchObject({
      Status: 'Enabled',
    });
    const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: BUCKET }));
    expect(Policy).toContain('"aws:SecureTransport":"false"');
  });

  test('a bucket of another region is not taken for a state', async () => {
    const elsewhere = { backend: { s3: { bucket: BUCKET, key: 'x.tfstate', region: 'us-west-2' } } };
    await expect(
      aws.ensureStateBucket({ ...stack, document: { terraform: elsewhere } }, ACCOUNT_ID),
    ).rejects.toMatchObject({
      code: 'BUCKET_TAKEN',
      message: expect.stringContaining(
        `${BUCKET} cannot hold the state: it is in ${REGION}, not in us-west-2.`,
      ),
    });
  });

  describe('with a bucket for states', () => {
    test('a lock is shown, and freed only as it was shown', async () => {
      expect(await aws.readStateLock(stack, ACCOUNT_ID)).toBeUndefined();
      await lockAs('one');
      const seen = (await aws.readStateLock(stack, ACCOUNT_ID))!;
      expect(seen).toEqual({
        id: 'one',
        operation: 'OperationTypeApply',
        who: 'ada@laptop',
        created: '2026-11-23T02:00:00Z',
        path: `s3://${BUCKET}/${REGION}.tfstate.tflock`,
      });
      await lockAs('two');
      await expect(aws.removeStateLock(stack, ACCOUNT_ID, seen)).rejects.toMatchObject({
        code: 'LOCK_CHANGED',
      });
      await aws.removeStateLock(stack, ACCOUNT_ID, { ...seen, id: 'two' });
      expect(await aws.readStateLock(stack, ACCOUNT_ID)).toBeUndefined();
    });

    test('tandem unlock says who holds the lock, and asks', async () => {
      await lockAs('three');
      const run = await runCli(['unlock'], {
        aws: { ...aws, stacks: async () => [stack] },
        workingFolder: await configFolder(),
        isTerminal: true,
        environment: { NO_COLOR: '1' },
        answers: ['y'],
      });
      expect(run.stderr).toBe(
        'account 123456789012, as user/moto\n' +
          'eu-west-1 is locked by  ada@laptop  apply  since 2026-11-23T02:00:00Z, 15 min ago  id three\n' +
          'Free it? [y/N] ',
      );
      expect(run.stdout).toBe('freed: eu-west-1\n');
    });

    test('what holds something is emptied, with all versions', async () => {
      for (const text of ['one', 'two']) {
        await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'file', Body: text }));
      }
      const ecr = new ECRClient({ region: REGION });
      await ecr.send(new CreateRepositoryCommand({ repositoryName: 'shop' }));
      await ecr.send(
        new PutImageCommand({ repositoryName: 'shop', imageTag: 'a', imageManifest: manifest() }),
      );
      const done: string[] = [];
      await aws.prepareForDeletion(
        {
          stack: REGION,
          region: REGION,
          changes: [],
          drift: [],
          existing: [
            { address: 'aws_s3_bucket.state', type: 'aws_s3_bucket', values: { bucket: BUCKET } },
            { address: 'aws_ecr_repository.images', type: 'aws_ecr_repository', values: { name: 'shop' } },
            { address: 'aws_s3_bucket.gone', type: 'aws_s3_bucket', values: { bucket: 'gone-long-ago' } },
          ],
          document: {},
          isDeferred: false,
          durationMs: 0,
          isApplicable: true,
        },
        what => done.push(what),
      );
      expect(done).toEqual([
        expect.stringMatching(new RegExp(`^emptied bucket ${BUCKET}: \\d+ objects and versions$`)),
        'emptied registry shop: 1 images',
      ]);
      expect((await ecr.send(new ListImagesCommand({ repositoryName: 'shop' }))).imageIds).toEqual([]);
    });

    test('what is left is found by tags and by name, and nothing of others', async () => {
      const iam = new IAMClient({ region: REGION });
      for (const RoleName of [`shop-${REGION}-build`, `shop-admin-${REGION}-build`]) {
        await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: '{}' }));
      }
      const { leftovers } = await aws.takeInventory(config);
      expect(leftovers.map(({ arn, mend }) => ({ arn, mend }))).toEqual([
        // moto lists a bucket in every region.
        { arn: `arn:aws:s3:::${BUCKET}`, mend: expect.stringContaining(`aws s3 rb --force s3://${BUCKET} `) },
        {
          arn: `arn:aws:iam::${ACCOUNT_ID}:role/shop-${REGION}-build`,
          mend: `aws iam delete-role --role-name shop-${REGION}-build --region ${REGION}`,
        },
        {
          arn: `arn:aws:ecr:${REGION}:${ACCOUNT_ID}:repository/shop`,
          mend: `aws ecr delete-repository --force --repository-name shop --region ${REGION}`,
        },
      ]);
    });

    test('log groups that AWS made by itself go, and revisions that releases registered', async () => {
      const logs = new CloudWatchLogsClient({ region: REGION });
      for (const logGroupName of ['/aws/codebuild/shop-build', '/aws/codebuild/other']) {
        await logs.send(new CreateLogGroupCommand({ logGroupName }));
      }
      const ecs = new ECSClient({ region: REGION });
      for (const family of ['shop-staging', 'shop-production', 'shop-production', 'shop-production-2']) {
        await ecs.send(
          new RegisterTaskDefinitionCommand({
            family,
            containerDefinitions: [{ name: 'shop', image: 'shop', memory: 128 }],
          }),
        );
      }
      expect(await aws.deleteByproducts(config, REGION)).toEqual([
        'deleted log group /aws/codebuild/shop-build',
        'deregistered task definition shop-staging:1',
        'deregistered task definition shop-production:1',
        'deregistered task definition shop-production:2',
      ]);
      expect(await aws.deleteByproducts(config, REGION)).toEqual([]);
    });

    test('the bucket of states stays while it holds another’s, and goes with its last', async () => {
      const foreign = { Bucket: BUCKET, Key: 'other.tfstate' };
      await s3.send(new PutObjectCommand({ ...foreign, Body: '{}' }));
      expect(await aws.removeStateBucket([stack], ACCOUNT_ID)).toEqual({
        bucket: BUCKET,
        others: ['other.tfstate'],
      });
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await s3.send(new DeleteObjectCommand(foreign));
      expect(await aws.removeStateBucket([stack], ACCOUNT_ID)).toEqual({ bucket: BUCKET, others: [] });
      expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
      expect(await aws.removeStateBucket([stack], ACCOUNT_ID)).toEqual({ bucket: BUCKET, others: [] });
    });
  });

  async function lockAs(id: string): Promise<void> {
    const lock = {
      ID: id,
      Operation: 'OperationTypeApply',
      Who: 'ada@laptop',
      Created: '2026-11-23T02:00:00Z',
    };
    await s3.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: `${REGION}.tfstate.tflock`, Body: JSON.stringify(lock) }),
    );
  }

  async function configFolder(): Promise<string> {
    const { writeFile } = await import('node:fs/promises');
    const text = `export default { application: 'shop', regions: ['${REGION}'] };\n`;
    await writeFile(join(folder, 'tandem.config.ts'), text);
    return folder;
  }
});

function manifest(): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: 2,
      digest: `sha256:${'a'.repeat(64)}`,
    },
    layers: [],
  });
}
