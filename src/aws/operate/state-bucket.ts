import {
  CreateBucketCommand,
  type BucketLocationConstraint,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { assert } from '../../core/assert.ts';
import { errorMessage, TandemError } from '../../core/error.ts';
import type { InfrastructureStack, StateBucket } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';
import { stackTags, stateLocation } from './state-location.ts';

interface WantedBucket {
  name: string;
  region: RegionName;
  tags: Readonly<Record<string, string>>;
  /** The account that must own it: whoever else had taken the name first would get to read the state. */
  accountId: string;
}

/** The bucket that a stack wants its state to be in. */
export function stateBucketOf(stack: InfrastructureStack, accountId: string): WantedBucket {
  const location = stateLocation(stack);
  assert(location !== undefined, `${stack.name} does not keep its state in S3`);
  // A bucket belongs to all stacks of a region, whatever environment this one is of.
  const tags = { ...stackTags(stack), Environment: 'shared' };
  return { name: location.bucket, region: location.region, tags, accountId };
}

/** Long enough to see what happened, and to go back. */
const KEEP_VERSIONS_DAYS = 90;

/**
 * Makes the bucket, or puts right what is not as it must be: versioned, encrypted, TLS only, closed to the public. Each
 * setting is read, compared and written for itself, so that what was interrupted half-way is completed by saying it
 * again, and nothing needs a state of its own. Throws BUCKET_TAKEN.
 */
export async function ensureStateBucket(session: AwsSession, wanted: WantedBucket): Promise<StateBucket> {
  const { name, region } = wanted;
  const client = new S3Client(session.settings(region));
  const isNew = await create(client, wanted);
  const changed: string[] = [];
  for (const { label, isRight, mend } of settingsOf(client, wanted)) {
    if (await isRight()) continue;
    await mend();
    changed.push(label);
  }
  client.destroy();
  const state = isNew ? 'created' : changed.length > 0 ? 'mended' : 'unchanged';
  return { name, region, state, changed: isNew ? [] : changed };
}

/** Makes the bucket where there is none; false where it is there already. */
async function create(s3: S3Client, { name: bucket, region, accountId }: WantedBucket): Promise<boolean> {
  try {
    const { BucketRegion = region } = await s3.send(
      new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: accountId }),
    );
    if (BucketRegion !== region) throw taken(bucket, `it is in ${BucketRegion}, not in ${region}`);
    return false;
  } catch (error) {
    if (error instanceof TandemError) throw error;
    const status = statusOf(error);
    if (status === 301) throw taken(bucket, `it is not in ${region}`);
    if (status === 403)
      throw taken(bucket, `it is not this account's (${accountId}), or these credentials may not see it`);
    if (status !== 404) throw error;
  }
  try {
    // us-east-1 is the one region that must not be named.
    const LocationConstraint = region as BucketLocationConstraint;
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ObjectOwnership: 'BucketOwnerEnforced',
        ...(region !== 'us-east-1' && { CreateBucketConfiguration: { LocationConstraint } }),
      }),
    );
    return true;
  } catch (error) {
    if (nameOf(error) === 'BucketAlreadyOwnedByYou') return false;
    if (nameOf(error) === 'BucketAlreadyExists') throw taken(bucket, 'another AWS account has it');
    throw error;
  }
}

interface Setting {
  label: string;
  isRight(): Promise<boolean>;
  mend(): Promise<unknown>;
}

function settingsOf(client: S3Client, { name, tags, accountId }: WantedBucket): Setting[] {
  const bucket = { Bucket: name, ExpectedBucketOwner: accountId };
  return [
    {
      label: 'public access',
      isRight: async () => {
        const { PublicAccessBlockConfiguration: found } = await orNothing(
          client.send(new GetPublicAccessBlockCommand(bucket)),
        );
        return Object.entries(CLOSED).every(([key, value]) => found?.[key as keyof typeof CLOSED] === value);
      },
      mend: () =>
        client.send(new PutPublicAccessBlockCommand({ ...bucket, PublicAccessBlockConfiguration: CLOSED })),
    },
    {
      label: 'ownership',
      isRight: async () => {
        const { OwnershipControls } = await orNothing(
          client.send(new GetBucketOwnershipControlsCommand(bucket)),
        );
        return OwnershipControls?.Rules?.[0]?.ObjectOwnership === 'BucketOwnerEnforced';
      },
      mend: () =>
        client.send(
          new PutBucketOwnershipControlsCommand({
            ...bucket,
            OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
          }),
        ),
    },
    {
      label: 'versioning',
      isRight: async () => (await client.send(new GetBucketVersioningCommand(bucket))).Status === 'Enabled',
      mend: () =>
        client.send(
          new PutBucketVersioningCommand({ ...bucket, VersioningConfiguration: { Status: 'Enabled' } }),
        ),
    },
    {
      // Whoever chose a key of their own keeps it.
      label: 'encryption',
      isRight: async () => {
        const { ServerSideEncryptionConfiguration: found } = await orNothing(
          client.send(new GetBucketEncryptionCommand(bucket)),
        );
        return found?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm !== undefined;
      },
      mend: () =>
        client.send(
          new PutBucketEncryptionCommand({
            ...bucket,
            ServerSideEncryptionConfiguration: {
              Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
            },
          }),
        ),
    },
    {
      label: 'TLS only',
      isRight: async () => {
        const statement = (await policyOf(client, bucket)).Statement.find(({ Sid }) => Sid === TLS_ONLY);
        return JSON.stringify(statement) === JSON.stringify(tlsOnly(name));
      },
      mend: async () => {
        const policy = await policyOf(client, bucket);
        const others = policy.Statement.filter(({ Sid }) => Sid !== TLS_ONLY);
        const Policy = JSON.stringify({ ...policy, Statement: [...others, tlsOnly(name)] });
        await client.send(new PutBucketPolicyCommand({ ...bucket, Policy }));
      },
    },
    {
      label: 'expiry of old versions',
      isRight: async () => {
        const { Rules = [] } = await orNothing(
          client.send(new GetBucketLifecycleConfigurationCommand(bucket)),
        );
        return Rules.some(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration !== undefined);
      },
      mend: async () => {
        const { Rules = [] } = await orNothing(
          client.send(new GetBucketLifecycleConfigurationCommand(bucket)),
        );
        const expire = {
          ID: 'expire',
          Status: 'Enabled' as const,
          Filter: { Prefix: '' },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          NoncurrentVersionExpiration: { NoncurrentDays: KEEP_VERSIONS_DAYS },
        };
        await client.send(
          new PutBucketLifecycleConfigurationCommand({
            ...bucket,
            LifecycleConfiguration: { Rules: [...Rules, expire] },
          }),
        );
      },
    },
    {
      label: 'tags',
      isRight: async () => {
        const found = await tagsOf(client, bucket);
        return Object.entries(tags).every(([key, value]) => found[key] === value);
      },
      mend: async () => {
        const all = { ...(await tagsOf(client, bucket)), ...tags };
        const TagSet = Object.entries(all).map(([Key, Value]) => ({ Key, Value }));
        await client.send(new PutBucketTaggingCommand({ ...bucket, Tagging: { TagSet } }));
      },
    },
  ];
}

const CLOSED = {
  BlockPublicAcls: true,
  BlockPublicPolicy: true,
  IgnorePublicAcls: true,
  RestrictPublicBuckets: true,
};

const TLS_ONLY = 'TlsOnly';

function tlsOnly(name: string): { Sid: string } {
  return {
    Sid: TLS_ONLY,
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  } as { Sid: string };
}

interface BucketOfOwner {
  Bucket: string;
  ExpectedBucketOwner: string;
}

async function policyOf(
  client: S3Client,
  bucket: BucketOfOwner,
): Promise<{ Version: string; Statement: { Sid?: string }[] }> {
  const { Policy } = await orNothing(client.send(new GetBucketPolicyCommand(bucket)));
  const none = { Version: '2012-10-17', Statement: [] };
  return Policy === undefined ? none : (JSON.parse(Policy) as typeof none);
}

async function tagsOf(client: S3Client, bucket: BucketOfOwner): Promise<Record<string, string>> {
  const { TagSet = [] } = await orNothing(client.send(new GetBucketTaggingCommand(bucket)));
  return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** S3 answers with 404 where a setting was never made. */
async function orNothing<Answer extends object>(answer: Promise<Answer>): Promise<Partial<Answer>> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return {};
    throw error;
  }
}

function taken(name: string, why: string): TandemError {
  return new TandemError(
    'BUCKET_TAKEN',
    `the bucket ${name} cannot hold the state: ${why}. Bucket names are shared by all of AWS: choose another aws.namePrefix`,
    { data: { bucket: name } },
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : errorMessage(error);
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
