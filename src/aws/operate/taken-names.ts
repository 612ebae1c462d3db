import { CodeBuildClient, BatchGetProjectsCommand } from '@aws-sdk/client-codebuild';
import {
  CodeCommitClient,
  GetRepositoryCommand,
  RepositoryDoesNotExistException,
} from '@aws-sdk/client-codecommit';
import {
  CodePipelineClient,
  GetPipelineCommand,
  PipelineNotFoundException,
} from '@aws-sdk/client-codepipeline';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeRepositoriesCommand, ECRClient, RepositoryNotFoundException } from '@aws-sdk/client-ecr';
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
  paginateDescribeTargetGroups,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { IAMClient, paginateListRoles } from '@aws-sdk/client-iam';
import { HeadBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { ClientSettings } from './aws-session.ts';
import { using } from './using-client.ts';

/** A thing that has one of the names: Terraform imports it by an id of its own kind. */
interface Taken {
  name: string;
  importId: string;
}

type FindTaken = (settings: ClientSettings, names: readonly string[]) => Promise<Taken[]>;

/** A kind of thing whose making Terraform fails at, or which it silently takes over, where the name exists. */
interface NamedKind {
  /** As people know it. */
  title: string;
  /** Terraform's attribute that has the name. */
  attribute: string;
  findTaken: FindTaken;
}

/** By Terraform's type. */
export const NAMED_KINDS: Readonly<Record<string, NamedKind>> = {
  aws_s3_bucket: { title: 'S3 bucket', attribute: 'bucket', findTaken: buckets },
  aws_iam_role: { title: 'IAM role', attribute: 'name', findTaken: roles },
  aws_ecr_repository: { title: 'ECR repository', attribute: 'name', findTaken: imageRepositories },
  aws_ecs_cluster: { title: 'ECS cluster', attribute: 'name', findTaken: clusters },
  aws_codecommit_repository: {
    title: 'CodeCommit repository',
    attribute: 'repository_name',
    findTaken: gitRepositories,
  },
  aws_codepipeline: { title: 'pipeline', attribute: 'name', findTaken: pipelines },
  aws_codebuild_project: { title: 'CodeBuild project', attribute: 'name', findTaken: projects },
  aws_lb: { title: 'load balancer', attribute: 'name', findTaken: loadBalancers },
  aws_lb_target_group: { title: 'target group', attribute: 'name', findTaken: targetGroups },
  aws_cloudwatch_log_group: { title: 'log group', attribute: 'name', findTaken: logGroups },
};

/** In all of AWS, whoever has it. */
function buckets(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new S3Client(settings), client =>
    present(names, name =>
      client.send(new HeadBucketCommand({ Bucket: name })).then(isThere, (error: unknown) => {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        // Moved: it is there, in another region.
        if (status === 301) return true;
        if (status === 404) return false;
        // An answer to HEAD says nothing of its reason.
        if (status === 403) throw new Error(`${name} is somebody else's, or may not be looked at`);
        throw error;
      }),
    ),
  );
}

/** In the whole account. */
function roles(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new IAMClient(settings), async client => {
    const found: string[] = [];
    for await (const { Roles = [] } of paginateListRoles({ client, pageSize: 1000 }, {})) {
      found.push(...Roles.map(({ RoleName = '' }) => RoleName));
    }
    return among(names, found);
  });
}

/** One call each: AWS names one that is missing, and tells of no other. */
function imageRepositories(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new ECRClient(settings), client =>
    present(names, name =>
      client
        .send(new DescribeRepositoriesCommand({ repositoryNames: [name] }))
        .then(isThere, absent(RepositoryNotFoundException)),
    ),
  );
}

/** Making one that exists succeeds: Terraform would take it over, and delete it one day. */
function clusters(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new ECSClient(settings), async client => {
    const { clusters: found = [] } = await client.send(new DescribeClustersCommand({ clusters: [...names] }));
    const active = found.filter(({ status }) => status !== 'INACTIVE');
    return among(
      names,
      active.map(({ clusterName = '' }) => clusterName),
    );
  });
}

function gitRepositories(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new CodeCommitClient(settings), client =>
    present(names, repositoryName =>
      client
        .send(new GetRepositoryCommand({ repositoryName }))
        .then(isThere, absent(RepositoryDoesNotExistException)),
    ),
  );
}

function pipelines(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new CodePipelineClient(settings), client =>
    present(names, name =>
      client.send(new GetPipelineCommand({ name })).then(isThere, absent(PipelineNotFoundException)),
    ),
  );
}

function projects(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new CodeBuildClient(settings), async client => {
    const { projects: found = [] } = await client.send(new BatchGetProjectsCommand({ names: [...names] }));
    return among(
      names,
      found.map(({ name = '' }) => name),
    );
  });
}

function loadBalancers(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new ElasticLoadBalancingV2Client(settings), async client => {
    const taken: Taken[] = [];
    for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client }, {})) {
      for (const { LoadBalancerName: name = '', LoadBalancerArn: importId = '' } of LoadBalancers) {
        if (names.includes(name)) taken.push({ name, importId });
      }
    }
    return taken;
  });
}

function targetGroups(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new ElasticLoadBalancingV2Client(settings), async client => {
    const taken: Taken[] = [];
    for await (const { TargetGroups = [] } of paginateDescribeTargetGroups({ client }, {})) {
      for (const { TargetGroupName: name = '', TargetGroupArn: importId = '' } of TargetGroups) {
        if (names.includes(name)) taken.push({ name, importId });
      }
    }
    return taken;
  });
}

/** Of what begins with a name, the name itself comes first. */
function logGroups(settings: ClientSettings, names: readonly string[]): Promise<Taken[]> {
  return using(new CloudWatchLogsClient(settings), client =>
    present(names, async name => {
      const { logGroups: found = [] } = await client.send(
        new DescribeLogGroupsCommand({ logGroupNamePrefix: name }),
      );
      return found.some(({ logGroupName }) => logGroupName === name);
    }),
  );
}

/** Asks one after the other: all at once would be refused as too many. */
async function present(
  names: readonly string[],
  exists: (name: string) => Promise<boolean>,
): Promise<Taken[]> {
  const found: string[] = [];
  for (const name of names) if (await exists(name)) found.push(name);
  return among(names, found);
}

function among(names: readonly string[], found: readonly string[]): Taken[] {
  return names.filter(name => found.includes(name)).map(name => ({ name, importId: name }));
}

function isThere(): boolean {
  return true;
}

function absent(kind: new (...given: never[]) => Error): (error: unknown) => boolean {
  return error => {
    if (error instanceof kind) return false;
    throw error;
  };
}
