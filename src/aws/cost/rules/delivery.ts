import { first, listOf, numberOf, textOf, type Resource, type Values } from '../resource.ts';
import type { Account, Rule } from '../account.ts';
import { imageReplication } from './network.ts';

const DAYS_A_MONTH = 30;
/** Source, and what CodePipeline itself needs around the other actions. */
const OTHER_ACTION_MINUTES = 1;

/** An action is billed by the minute while it runs; approvals cost nothing. */
const pipeline: Rule = (_resource, { usage }) => {
  const minutes = usage.buildMinutes + 2 * usage.releaseMinutes + OTHER_ACTION_MINUTES;
  return [{ item: 'pipeline actions', price: 'pipelineMinute', quantity: usage.builds * minutes }];
};

/** The scheduled look for drift: so often a month, each so many minutes. */
const CHECKS: Readonly<Record<string, number>> = { daily: DAYS_A_MONTH, weekly: DAYS_A_MONTH / 7 };
const CHECK_MINUTES = 3;

/** What only looks has a short limit, and is done in a minute. */
const SHORT_LIMIT_MINUTES = 5;

/** Who builds images needs Docker; all others release, or look after something, once an execution. */
const buildProject: Rule = ({ values }, { usage }) => {
  const environment = first(values['environment']);
  const isArm = textOf(environment['type']).startsWith('ARM');
  const checked = listOf(environment['environment_variable'])
    .map(first)
    .find(({ name }) => name === 'CHECKED');
  if (checked) {
    const quantity = (CHECKS[textOf(checked['value'])] ?? 0) * CHECK_MINUTES;
    return [{ item: 'drift checks', price: 'buildMinute', quantity }];
  }
  const isShort = numberOf(values['build_timeout'], 0) === SHORT_LIMIT_MINUTES;
  const working = isShort ? 1 : usage.releaseMinutes;
  const minutes = environment['privileged_mode'] === true ? usage.buildMinutes : working;
  return [
    {
      item: 'build minutes',
      price: isArm ? 'buildArmMinute' : 'buildMinute',
      quantity: usage.builds * minutes,
    },
  ];
};

/**
 * The registry keeps as many images as its lifecycle says, or as are built in a month where there is none. With a lifecycle
 * that counts nothing it is for signatures, of a kilobyte each.
 */
const registry: Rule = (resource, account) => {
  const policy = account.referring(resource, 'aws_ecr_lifecycle_policy')[0];
  const images = policy ? (keptImages(textOf(policy.values['policy'])) ?? 0) : account.usage.builds;
  return [{ item: 'images', price: 'imageStorage', quantity: (images * account.usage.imageMb) / 1024 }];
};

function keptImages(policy: string): number | undefined {
  const counts = policyRules(policy)
    .map(rule => first(rule['selection']))
    // What is in use is kept without a limit, and is among the newest, or a few more.
    .filter(({ countType, tagStatus }) => countType === 'imageCountMoreThan' && tagStatus === 'any')
    .map(selection => numberOf(selection['countNumber'], 0));
  return counts[0];
}

/** A policy that refers to something not yet known cannot be read. */
function policyRules(policy: string): Values[] {
  try {
    return listOf(first(JSON.parse(policy))['rules']);
  } catch {
    return [];
  }
}

/** What is kept besides the artifacts of executions (states, logs of access) is far below a gigabyte. */
const OTHER_OBJECTS_GB = 0.1;

const bucket: Rule = (resource, account) => {
  const days = expiryDays(resource, account);
  const { builds, artifactMb } = account.usage;
  const quantity = days === undefined ? OTHER_OBJECTS_GB : (builds * artifactMb * days) / DAYS_A_MONTH / 1024;
  return [{ item: 'objects', price: 'objectStorage', quantity }];
};

function expiryDays(resource: Resource, account: Account): number | undefined {
  const rules = account
    .referring(resource, 'aws_s3_bucket_lifecycle_configuration')
    .flatMap(({ values }) => listOf(values['rule']));
  const days = rules.map(rule => numberOf(first(rule['expiration'])['days'], 0)).filter(number => number > 0);
  return days.length === 0 ? undefined : Math.min(...days);
}

export const deliveryRules: Readonly<Record<string, Rule>> = {
  aws_codepipeline: pipeline,
  aws_codebuild_project: buildProject,
  aws_ecr_repository: registry,
  aws_ecr_replication_configuration: imageReplication,
  aws_s3_bucket: bucket,
};
