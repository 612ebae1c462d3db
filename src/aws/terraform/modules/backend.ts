import type { Construct } from 'constructs';
import { privateBucket, type PrivateBucket } from './private-bucket.ts';

export interface BackendInput {
  /** At most 63 characters, unique in all of AWS. */
  bucketName: string;
  /** Earlier states are kept so long, to see what happened and to go back. */
  keepVersionsDays: number;
  protect: boolean;
}

/** The bucket that holds Terraform's state; it locks with a file beside the state, so nothing else is needed. */
export function backend(scope: Construct, id: string, input: BackendInput): PrivateBucket {
  return privateBucket(scope, id, {
    name: input.bucketName,
    keepVersionsDays: input.keepVersionsDays,
    protect: input.protect,
  });
}
