import type { Names } from './names.ts';
import { networkLookup, type NetworkLookupOutput } from './modules/network-lookup.ts';
import type { Stack } from './stack.ts';

/** What an environment uses of its region. */
export interface RegionLookup {
  network: NetworkLookupOutput;
  repository: { name: string; arn: string; uri: string };
  /** Of the repository of the images' signatures. */
  signaturesArn: string;
  accessLogBucket: string;
  artifactBucketArn: string;
  topicArn: string;
  /** Of the key that the topic is encrypted with. */
  topicKeyAlias: string;
}

/**
 * Finds what the region's own stack made by the names that both know, so that no stack reads another's state: all but
 * the network is named by what it is called.
 */
export function lookUpRegion(stack: Stack, names: Names, accountId: string): RegionLookup {
  const { region } = stack;
  return {
    network: networkLookup(stack, 'network', { name: names.prefix, ownerId: accountId }),
    repository: {
      name: names.prefix,
      arn: `arn:aws:ecr:${region}:${accountId}:repository/${names.prefix}`,
      uri: `${accountId}.dkr.ecr.${region}.amazonaws.com/${names.prefix}`,
    },
    signaturesArn: `arn:aws:ecr:${region}:${accountId}:repository/${names.signatures}`,
    accessLogBucket: names.bucket('access-logs', region),
    artifactBucketArn: `arn:aws:s3:::${names.bucket('artifacts', region)}`,
    topicArn: `arn:aws:sns:${region}:${accountId}:${names.topic}`,
    topicKeyAlias: names.topicKey,
  };
}
