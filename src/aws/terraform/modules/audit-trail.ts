import { Cloudtrail } from '@cdktn/provider-aws/lib/cloudtrail/index.js';
import { Construct } from 'constructs';
import { deliverySource, privateBucket } from './private-bucket.ts';

export interface AuditTrailInput {
  name: string;
  accountId: string;
  bucketName: string;
  keepDays: number;
  protect: boolean;
}

/** CloudTrail: who called what in the account, in every region, in files whose every change would show. */
export function auditTrail(scope: Construct, id: string, input: AuditTrailInput): void {
  const here = new Construct(scope, id);
  const bucket = privateBucket(here, 'trail', {
    name: input.bucketName,
    expireAfterDays: input.keepDays,
    keepVersionsDays: 30,
    protect: input.protect,
    allow: arn =>
      deliverySource({ service: 'cloudtrail.amazonaws.com', accountId: input.accountId, bucketArn: arn }),
  });
  new Cloudtrail(here, 'audit-trail', {
    name: input.name,
    s3BucketName: bucket.name,
    isMultiRegionTrail: true,
    includeGlobalServiceEvents: true,
    enableLogFileValidation: true,
    // CloudTrail tries to write before it takes the bucket.
    dependsOn: [bucket.policy],
  });
}
