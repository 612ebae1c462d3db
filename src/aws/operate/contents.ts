import {
  BatchDeleteImageCommand,
  ECRClient,
  paginateListImages,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  S3Client,
  type _Error as S3Error,
} from '@aws-sdk/client-s3';
import { TandemError } from '../../core/error.ts';
import type { ResourceValues } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';

/** Makes a resource ready to be deleted, and says what it did; `undefined` where there was nothing to do. */
type Preparation = (
  session: AwsSession,
  region: RegionName,
  values: ResourceValues['values'],
) => Promise<string | undefined>;

const PREPARATIONS: Readonly<Record<string, Preparation>> = {
  aws_s3_bucket: async (session, region, { bucket }) => {
    const count = await emptyBucket(session, region, String(bucket));
    return count === 0 ? undefined : `emptied bucket ${String(bucket)}: ${count} objects and versions`;
  },
  aws_ecr_repository: async (session, region, { name }) => {
    const count = await emptyRepository(session, region, String(name));
    return count === 0 ? undefined : `emptied registry ${String(name)}: ${count} images`;
  },
};

/**
 * What AWS would refuse to delete with anything in it is emptied: Terraform would do so only where its state says that it
 * may, which is from when it was to be kept. May be said again at any time.
 */
export async function prepareForDeletion(
  session: AwsSession,
  region: RegionName,
  resources: readonly ResourceValues[],
  onDone: (what: string) => void,
): Promise<void> {
  for (const { type, values } of resources) {
    const done = await PREPARATIONS[type]?.(session, region, values);
    if (done !== undefined) onDone(done);
  }
}

/** Deletes all objects with all their versions; the number of what was deleted, 0 where there is no such bucket. */
export async function emptyBucket(session: AwsSession, region: RegionName, bucket: string): Promise<number> {
  const client = new S3Client(session.settings(region));
  let count = 0;
  try {
    for (;;) {
      // Always the first page: what was on it is gone by the next turn.
      const { Versions = [], DeleteMarkers = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: bucket }),
      );
      const found = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (found.length === 0) return count;
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: found, Quiet: true } }),
      );
      if (Errors.length > 0) throw undeletable(bucket, Errors[0]!);
      count += found.length;
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucket') return count;
    throw error;
  } finally {
    client.destroy();
  }
}

/** The most that one call of BatchDeleteImage takes. */
const IMAGES_AT_ONCE = 100;

async function emptyRepository(
  session: AwsSession,
  region: RegionName,
  repositoryName: string,
): Promise<number> {
  const client = new ECRClient(session.settings(region));
  const digests = new Set<string>();
  try {
    for await (const { imageIds = [] } of paginateListImages({ client }, { repositoryName })) {
      for (const { imageDigest } of imageIds) if (imageDigest !== undefined) digests.add(imageDigest);
    }
    // An index is deleted before what it lists: a second round takes what the first one was refused.
    for (let round = 0; round < 2; round += 1) {
      const left = [...digests];
      for (let index = 0; index < left.length; index += IMAGES_AT_ONCE) {
        const imageIds = left.slice(index, index + IMAGES_AT_ONCE).map(imageDigest => ({ imageDigest }));
        await client.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
      }
    }
    return digests.size;
  } catch (error) {
    if (error instanceof RepositoryNotFoundException) return 0;
    throw error;
  } finally {
    client.destroy();
  }
}

function undeletable(bucket: string, { Key, Code, Message }: S3Error): TandemError {
  return new TandemError(
    'BUCKET_NOT_EMPTIED',
    `${Key} in the bucket ${bucket} cannot be deleted (${Code}: ${Message}): lift what holds it, then run the command again`,
    { data: { bucket, key: Key } },
  );
}
