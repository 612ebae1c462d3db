import type { InfrastructureStack } from '../../model/infrastructure.ts';

export interface StateLocation {
  bucket: string;
  key: string;
  region: string;
}

/** Where a stack's state lies in S3, as its document says; `undefined` where it is a file. */
export function stateLocation({ document }: InfrastructureStack): StateLocation | undefined {
  const { backend } = document['terraform'] as { backend?: { s3?: StateLocation } };
  return backend?.s3;
}

/** The tags that a stack lays on all it makes. */
export function stackTags({ document }: InfrastructureStack): Record<string, string> {
  const { provider } = document as {
    provider?: { aws?: { default_tags?: { tags?: Record<string, string> }[] }[] };
  };
  return provider?.aws?.[0]?.default_tags?.[0]?.tags ?? {};
}

/** Below it lies, in the bucket of the states, what the scheduled check compares: each stack as it was last applied. */
export const DEPLOYED_PREFIX = 'deployed/';
