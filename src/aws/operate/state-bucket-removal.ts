import { DeleteBucketCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { assert } from '../../core/assert.ts';
import type { InfrastructureStack } from '../../model/infrastructure.ts';
import type { AwsSession } from './aws-session.ts';
import { emptyBucket } from './contents.ts';
import { DEPLOYED_PREFIX, stateLocation } from './state-location.ts';

/**
 * Deletes the bucket of a region's states, all of which must describe nothing any more. Where it holds the state of
 * anybody else it stays; their names are given.
 */
export async function removeStateBucket(
  session: AwsSession,
  stacks: readonly InfrastructureStack[],
  accountId: string,
): Promise<{ bucket: string; others: string[] }> {
  const locations = stacks.map(stateLocation).filter(location => location !== undefined);
  const [first] = locations;
  assert(first !== undefined, 'stacks that keep no state in S3 have no bucket for it');
  const { bucket, region } = first;
  const client = new S3Client(session.settings(region));
  try {
    const own = new Set(locations.flatMap(({ key }) => [key, `${key}.tflock`]));
    const others: string[] = [];
    const owned = { Bucket: bucket, ExpectedBucketOwner: accountId };
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, owned)) {
      for (const { Key = '' } of Contents)
        if (!own.has(Key) && !Key.startsWith(DEPLOYED_PREFIX)) others.push(Key);
    }
    if (others.length > 0) return { bucket, others };
    await emptyBucket(session, region, bucket);
    await client.send(new DeleteBucketCommand(owned));
    return { bucket, others: [] };
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucket') return { bucket, others: [] };
    throw error;
  } finally {
    client.destroy();
  }
}
