import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { assert } from '../../core/assert.ts';
import type { InfrastructureStack } from '../../model/infrastructure.ts';
import type { AwsSession } from './aws-session.ts';
import { DEPLOYED_PREFIX, stateLocation } from './state-location.ts';

/**
 * Leaves a stack as it has just been applied beside its state, with the program that judges (`drift-check.ts`, bundled), for
 * the scheduled check. Its document comes last: without it nothing is compared.
 */
export async function keepDeployed(
  session: AwsSession,
  stack: InfrastructureStack,
  { accountId, judge }: { accountId: string; judge: string },
): Promise<void> {
  const location = stateLocation(stack);
  assert(location !== undefined, `${stack.name} does not keep its state in S3`);
  const { bucket, region } = location;
  const client = new S3Client(session.settings(region));
  const put = (path: string, body: string | Uint8Array) =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `${DEPLOYED_PREFIX}${path}`,
        Body: body,
        ExpectedBucketOwner: accountId,
      }),
    );
  try {
    await Promise.all([
      put('drift-check.mjs', judge),
      ...(stack.files ?? []).map(({ path, content }) => put(`${stack.name}/${path}`, content)),
    ]);
    await put(`${stack.name}/main.tf.json`, JSON.stringify(stack.document));
  } finally {
    client.destroy();
  }
}
