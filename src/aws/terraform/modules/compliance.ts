import { AccessanalyzerAnalyzer } from '@cdktn/provider-aws/lib/accessanalyzer-analyzer/index.js';
import { ConfigConfigurationRecorderStatus } from '@cdktn/provider-aws/lib/config-configuration-recorder-status/index.js';
import { ConfigConfigurationRecorder } from '@cdktn/provider-aws/lib/config-configuration-recorder/index.js';
import { ConfigDeliveryChannel } from '@cdktn/provider-aws/lib/config-delivery-channel/index.js';
import { GuarddutyDetector } from '@cdktn/provider-aws/lib/guardduty-detector/index.js';
import { IamRolePolicyAttachment } from '@cdktn/provider-aws/lib/iam-role-policy-attachment/index.js';
import { SecurityhubAccount } from '@cdktn/provider-aws/lib/securityhub-account/index.js';
import { SecurityhubStandardsSubscription } from '@cdktn/provider-aws/lib/securityhub-standards-subscription/index.js';
import { Construct } from 'constructs';
import { deliverySource, privateBucket } from './private-bucket.ts';
import { serviceRole } from './service-role.ts';

export interface ComplianceInput {
  name: string;
  region: string;
  accountId: string;
  /** AWS Config: what every resource looked like, and when it changed. */
  config?: {
    bucketName: string;
    roleName: string;
    keepDays: number;
    /** IAM and other services without a region: recorded in one region only. */
    includesGlobalResources: boolean;
    protect: boolean;
  };
  /** GuardDuty: looks for signs of an intruder. */
  guardDuty: boolean;
  /** Security Hub: checks the account against AWS's own list of good practice. */
  securityHub: boolean;
  /** IAM Access Analyzer: finds what others can reach. */
  accessAnalyzer: boolean;
}

/**
 * AWS's own watchers, in one region. Each is there once for a whole account and region: of several applications in one
 * account, only one may switch it on.
 */
export function compliance(scope: Construct, id: string, input: ComplianceInput): void {
  const here = new Construct(scope, id);
  const recorder = input.config && configRecorder(here, input, input.config);
  if (input.guardDuty) {
    new GuarddutyDetector(here, 'guard-duty', {
      enable: true,
      findingPublishingFrequency: 'FIFTEEN_MINUTES',
    });
  }
  if (input.securityHub) {
    const hub = new SecurityhubAccount(here, 'security-hub', {
      enableDefaultStandards: false,
      // Most of its checks read what AWS Config recorded.
      ...(recorder && { dependsOn: [recorder] }),
    });
    new SecurityhubStandardsSubscription(here, 'good-practice', {
      standardsArn: `arn:aws:securityhub:${input.region}::standards/aws-foundational-security-best-practices/v/1.0.0`,
      dependsOn: [hub],
    });
  }
  if (input.accessAnalyzer) {
    new AccessanalyzerAnalyzer(here, 'access-analyzer', { analyzerName: input.name, type: 'ACCOUNT' });
  }
}

function configRecorder(
  scope: Construct,
  { name, accountId }: ComplianceInput,
  config: NonNullable<ComplianceInput['config']>,
): ConfigConfigurationRecorderStatus {
  const here = new Construct(scope, 'config');
  const bucket = privateBucket(here, 'history', {
    name: config.bucketName,
    expireAfterDays: config.keepDays,
    keepVersionsDays: 30,
    protect: config.protect,
    allow: arn => deliverySource({ service: 'config.amazonaws.com', accountId, bucketArn: arn }),
  });
  const role = serviceRole(here, 'role', {
    name: config.roleName,
    description: `Records the configuration of resources for ${name}`,
    service: 'config.amazonaws.com',
    accountId,
    statements: [],
  });
  // AWS adds to it what each new service needs to be read; nobody could keep such a list by hand.
  new IamRolePolicyAttachment(here, 'read', {
    role: role.name,
    policyArn: 'arn:aws:iam::aws:policy/service-role/AWS_ConfigRole',
  });
  const recorder = new ConfigConfigurationRecorder(here, 'recorder', {
    name,
    roleArn: role.arn,
    recordingGroup: {
      allSupported: true,
      includeGlobalResourceTypes: config.includesGlobalResources,
    },
  });
  const channel = new ConfigDeliveryChannel(here, 'channel', {
    name,
    s3BucketName: bucket.name,
    dependsOn: [recorder],
  });
  return new ConfigConfigurationRecorderStatus(here, 'status', {
    name: recorder.name,
    isEnabled: true,
    dependsOn: [channel],
  });
}
