import { EcrLifecyclePolicy } from '@cdktn/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrReplicationConfiguration } from '@cdktn/provider-aws/lib/ecr-replication-configuration/index.js';
import { EcrRepository } from '@cdktn/provider-aws/lib/ecr-repository/index.js';
import { Construct } from 'constructs';

export interface EcrInput {
  name: string;
  accountId: string;
  /** Newest images kept. */
  keepImages: number;
  /** Regions that get every image pushed here; their repositories need the same module, for the same settings. */
  replicateTo: readonly string[];
  /** Terraform then refuses to delete the repository, and deletes it only when it is empty. */
  protect: boolean;
}

export interface EcrOutput {
  name: string;
  arn: string;
  /** `<account>.dkr.ecr.<region>.amazonaws.com/<name>`. */
  uri: string;
}

/** An image repository: tags never move (but `latest`), images are scanned when pushed, encrypted, and old ones expire. */
export function ecr(scope: Construct, id: string, input: EcrInput): EcrOutput {
  const here = new Construct(scope, id);
  const repository = new EcrRepository(here, 'repository', {
    name: input.name,
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilter: [{ filter: 'latest', filterType: 'WILDCARD' }],
    imageScanningConfiguration: { scanOnPush: true },
    encryptionConfiguration: [{ encryptionType: 'AES256' }],
    forceDelete: !input.protect,
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
  new EcrLifecyclePolicy(here, 'expiry', {
    repository: repository.name,
    policy: lifecyclePolicy(input.keepImages),
  });
  if (input.replicateTo.length > 0) {
    new EcrReplicationConfiguration(here, 'replication', {
      replicationConfiguration: {
        rule: [
          {
            destination: input.replicateTo.map(region => ({ region, registryId: input.accountId })),
            repositoryFilter: [{ filter: input.name, filterType: 'PREFIX_MATCH' }],
          },
        ],
      },
    });
  }
  return { name: repository.name, arn: repository.arn, uri: repository.repositoryUrl };
}

function lifecyclePolicy(keepImages: number): string {
  const expire = { type: 'expire' };
  return JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        description: 'Images that lost their last tag',
        selection: {
          tagStatus: 'untagged',
          countType: 'sinceImagePushed',
          countUnit: 'days',
          countNumber: 1,
        },
        action: expire,
      },
      {
        rulePriority: 2,
        description: `All but the newest ${keepImages}`,
        selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: keepImages },
        action: expire,
      },
    ],
  });
}
