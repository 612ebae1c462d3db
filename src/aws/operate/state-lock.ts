import { DeleteObjectCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { TandemError } from '../../core/error.ts';
import type { InfrastructureStack, StateLock } from '../../model/infrastructure.ts';
import type { AwsSession } from './aws-session.ts';
import { stateLocation, type StateLocation } from './state-location.ts';

/** As Terraform writes it into the lock file. */
interface LockFile {
  ID?: string;
  Operation?: string;
  Who?: string;
  Created?: string;
}

/** Who holds the lock of a stack's state; `undefined` where nobody does, or there is no state yet. */
export async function readStateLock(
  session: AwsSession,
  stack: InfrastructureStack,
  accountId: string,
): Promise<StateLock | undefined> {
  const location = stateLocation(stack);
  return location === undefined ? undefined : (await read(session, location, accountId))?.lock;
}

/**
 * Removes a lock, but only the one that was seen: whoever has taken it since keeps theirs. Throws LOCK_CHANGED.
 */
export async function removeStateLock(
  session: AwsSession,
  stack: InfrastructureStack,
  accountId: string,
  seen: StateLock,
): Promise<void> {
  const location = stateLocation(stack);
  const found = location === undefined ? undefined : await read(session, location, accountId);
  if (location === undefined || found === undefined) return;
  if (found.lock.id !== seen.id) throw changed(stack);
  const client = new S3Client(session.settings(location.region));
  try {
    await client.send(
      new DeleteObjectCommand({ ...lockObject(location, accountId), IfMatch: found.version }),
    );
  } catch (error) {
    if (error instanceof Error && error.name === 'PreconditionFailed') throw changed(stack);
    throw error;
  } finally {
    client.destroy();
  }
}

function changed({ name }: InfrastructureStack): TandemError {
  return new TandemError(
    'LOCK_CHANGED',
    `the lock of ${name} is not the one that was shown any more: somebody works there, so it was left alone`,
    { data: { stack: name } },
  );
}

async function read(
  session: AwsSession,
  location: StateLocation,
  accountId: string,
): Promise<{ lock: StateLock; version: string | undefined } | undefined> {
  const client = new S3Client(session.settings(location.region));
  try {
    const { Body, ETag } = await client.send(new GetObjectCommand(lockObject(location, accountId)));
    const {
      ID = '',
      Operation = '',
      Who = '',
      Created = '',
    } = JSON.parse((await Body?.transformToString()) ?? '{}') as LockFile;
    const path = `s3://${location.bucket}/${location.key}.tflock`;
    return { lock: { id: ID, operation: Operation, who: Who, created: Created, path }, version: ETag };
  } catch (error) {
    if (error instanceof Error && ['NoSuchKey', 'NoSuchBucket', 'NotFound'].includes(error.name))
      return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/** The S3 backend's native lock (`use_lockfile`) lies beside the state. */
function lockObject(
  location: StateLocation,
  accountId: string,
): {
  Bucket: string;
  Key: string;
  ExpectedBucketOwner: string;
} {
  return { Bucket: location.bucket, Key: `${location.key}.tflock`, ExpectedBucketOwner: accountId };
}
