import { S3Bucket } from '@cdktn/provider-aws/lib/s3-bucket/index.js';
import { S3BucketLifecycleConfiguration } from '@cdktn/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js';
import { S3BucketOwnershipControls } from '@cdktn/provider-aws/lib/s3-bucket-ownership-controls/index.js';
import { S3BucketPolicy } from '@cdktn/provider-aws/lib/s3-bucket-policy/index.js';
import { S3BucketPublicAccessBlock } from '@cdktn/provider-aws/lib/s3-bucket-public-access-block/index.js';
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktn/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js';
import { S3BucketVersioningA } from '@cdktn/provider-aws/lib/s3-bucket-versioning/index.js';
import { Construct } from 'constructs';
import { policyDocument, type PolicyStatement } from '../policy.ts';

export interface PrivateBucketInput {
  /** At most 63 characters, unique in all of AWS. */
  name: string;
  /** Objects are deleted after so many days; `undefined`: kept. */
  expireAfterDays?: number;
  /** Earlier versions are deleted after so many days. */
  keepVersionsDays: number;
  /** Terraform then refuses to delete the bucket, and deletes it only when it is empty. */
  protect: boolean;
  /** Who else may use it, given its ARN: services of AWS that write into it by themselves. */
  allow?: (bucketArn: string) => readonly PolicyStatement[];
}

export interface PrivateBucket {
  name: string;
  arn: string;
  /** For who must come after it. */
  policy: S3BucketPolicy;
}

/** A bucket that is versioned, encrypted, closed to the public, and answers over TLS only. */
export function privateBucket(scope: Construct, id: string, input: PrivateBucketInput): PrivateBucket {
  const here = new Construct(scope, id);
  const bucket = new S3Bucket(here, 'bucket', {
    bucket: input.name,
    forceDestroy: !input.protect,
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
  const versioning = new S3BucketVersioningA(here, 'versioning', {
    bucket: bucket.id,
    versioningConfiguration: { status: 'Enabled' },
  });
  new S3BucketServerSideEncryptionConfigurationA(here, 'encryption', {
    bucket: bucket.id,
    rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
  });
  new S3BucketOwnershipControls(here, 'ownership', {
    bucket: bucket.id,
    rule: { objectOwnership: 'BucketOwnerEnforced' },
  });
  const access = new S3BucketPublicAccessBlock(here, 'public-access', {
    bucket: bucket.id,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  const policy = new S3BucketPolicy(here, 'policy', {
    bucket: bucket.id,
    policy: policyDocument([
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [bucket.arn, `${bucket.arn}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      ...(input.allow?.(bucket.arn) ?? []),
    ]),
    // S3 refuses two changes of a bucket's access at once.
    dependsOn: [access],
  });
  new S3BucketLifecycleConfiguration(here, 'expiry', {
    bucket: bucket.id,
    rule: [
      {
        id: 'expire',
        status: 'Enabled',
        filter: [{ prefix: '' }],
        abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
        noncurrentVersionExpiration: [{ noncurrentDays: input.keepVersionsDays }],
        ...(input.expireAfterDays !== undefined && { expiration: [{ days: input.expireAfterDays }] }),
      },
    ],
    dependsOn: [versioning],
  });
  return { name: bucket.bucket, arn: bucket.arn, policy };
}

/** Lets a service of AWS put files where it puts them for this account, and for no other. */
export function deliverySource(input: {
  /** `cloudtrail.amazonaws.com`. */
  service: string;
  accountId: string;
  bucketArn: string;
}): PolicyStatement[] {
  const Principal = { Service: input.service };
  const ofAccount = { 'aws:SourceAccount': input.accountId };
  return [
    {
      Sid: 'LookForDelivery',
      Principal,
      Action: ['s3:GetBucketAcl', 's3:ListBucket'],
      Resource: input.bucketArn,
      Condition: { StringEquals: ofAccount },
    },
    {
      Sid: 'Deliver',
      Principal,
      Action: 's3:PutObject',
      Resource: `${input.bucketArn}/AWSLogs/${input.accountId}/*`,
      Condition: { StringEquals: { ...ofAccount, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  ];
}
