import { EcrLifecyclePolicy } from '@cdktn/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrReplicationConfiguration } from '@cdktn/provider-aws/lib/ecr-replication-configuration/index.js';
import { EcrRepositoryCreationTemplate } from '@cdktn/provider-aws/lib/ecr-repository-creation-template/index.js';
import { EcrRepository } from '@cdktn/provider-aws/lib/ecr-repository/index.js';
import { Construct } from 'constructs';

export interface EcrInput {
  name: string;
  accountId: string;
  /** Newest images kept. `all`: for what is small, and needed for as long as something elsewhere is. */
  keepImages: number | 'all';
  /**
   * Regions that get every image pushed here; their repositories need the same module, for the same settings. An account
   * has one replication configuration a region: who gives this owns it, and rules for all other repositories with it.
   */
  replicateTo: readonly string[];
  /** What names of further repositories of the account that are to be replicated begin with. */
  replicateAlso: readonly string[];
  /** Terraform then refuses to delete the repository, and deletes it only when it is empty. */
  protect: boolean;
}

export interface EcrOutput {
  name: string;
  arn: string;
  /** `<account>.dkr.ecr.<region>.amazonaws.com/<name>`. */
  uri: string;
}

/** Tags that move: the newest image's, and those that releases give to what they need; see `release-buildspec.ts`. */
const MOVING_TAGS = ['latest', 'in-use-*'];

/** An image repository: other tags never move, images are scanned when pushed, encrypted, and old ones expire. */
export function ecr(scope: Construct, id: string, input: EcrInput): EcrOutput {
  const here = new Construct(scope, id);
  const repository = new EcrRepository(here, 'repository', {
    name: input.name,
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilter: MOVING_TAGS.map(filter => ({ filter, filterType: 'WILDCARD' })),
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
            repositoryFilter: [input.name, ...input.replicateAlso].map(filter => ({
              filter,
              filterType: 'PREFIX_MATCH',
            })),
          },
        ],
      },
    });
  }
  // An image may come before its repository does: what replication makes then has the same settings.
  new EcrRepositoryCreationTemplate(here, 'template', {
    prefix: input.name,
    description: `Repositories of ${input.name} that replication makes`,
    appliedFor: ['REPLICATION'],
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilter: MOVING_TAGS.map(filter => ({ filter, filterType: 'WILDCARD' })),
    encryptionConfiguration: [{ encryptionType: 'AES256' }],
    lifecyclePolicy: lifecyclePolicy(input.keepImages),
  });
  return { name: repository.name, arn: repository.arn, uri: repository.repositoryUrl };
}

/** The number of images that a rule may keep without a limit being meant. */
const ALL = 10_000;

/** What the tags of one rule match, no later rule expires: so what is in use stays (ECR: "Lifecycle policy evaluation"). */
function lifecyclePolicy(keepImages: number | 'all'): string {
  const action = { type: 'expire' };
  const rules = [
    {
      description: 'None that runs, or that a rollback needs',
      selection: {
        tagStatus: 'tagged',
        tagPatternList: ['in-use-*'],
        countType: 'imageCountMoreThan',
        countNumber: ALL,
      },
    },
    {
      description: 'Images that lost their last tag',
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
    },
    ...(keepImages === 'all'
      ? []
      : [
          {
            description: `All but the newest ${keepImages}`,
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: keepImages },
          },
        ]),
  ];
  return JSON.stringify({
    rules: rules.map(({ description, selection }, index) => ({
      rulePriority: index + 1,
      description,
      selection,
      action,
    })),
  });
}
