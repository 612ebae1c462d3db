import { BatchGetProjectsCommand, CodeBuildClient } from '@aws-sdk/client-codebuild';
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
import {
  DescribeRepositoriesCommand,
  ECRClient,
  paginateDescribeRepositoryCreationTemplates,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import { using } from '../using-client.ts';
import {
  absent,
  among,
  amongListed,
  askEach,
  isThere,
  type FindTaken,
  type NamedKinds,
} from './named-kind.ts';

/** One call each: AWS names one that is missing, and tells of no other. */
const imageRepositories: FindTaken = (settings, names) =>
  using(new ECRClient(settings), client =>
    askEach(names, name =>
      client
        .send(new DescribeRepositoriesCommand({ repositoryNames: [name] }))
        .then(isThere, absent(RepositoryNotFoundException)),
    ),
  );

const creationTemplates: FindTaken = (settings, names) =>
  using(new ECRClient(settings), client =>
    amongListed(
      names,
      paginateDescribeRepositoryCreationTemplates({ client }, {}),
      ({ repositoryCreationTemplates }) => repositoryCreationTemplates?.map(({ prefix: name }) => ({ name })),
    ),
  );

const gitRepositories: FindTaken = (settings, names) =>
  using(new CodeCommitClient(settings), client =>
    askEach(names, repositoryName =>
      client
        .send(new GetRepositoryCommand({ repositoryName }))
        .then(isThere, absent(RepositoryDoesNotExistException)),
    ),
  );

const pipelines: FindTaken = (settings, names) =>
  using(new CodePipelineClient(settings), client =>
    askEach(names, name =>
      client.send(new GetPipelineCommand({ name })).then(isThere, absent(PipelineNotFoundException)),
    ),
  );

const projects: FindTaken = (settings, names) =>
  using(new CodeBuildClient(settings), async client => {
    const { projects: found = [] } = await client.send(new BatchGetProjectsCommand({ names: [...names] }));
    return among(
      names,
      found.map(({ name }) => name),
    );
  });

export const DELIVERY: NamedKinds = {
  // Without --force it is not deleted while it has images.
  aws_ecr_repository: {
    title: 'ECR repository',
    name: 'name',
    findTaken: imageRepositories,
    command: 'ecr delete-repository --repository-name $name',
  },
  aws_ecr_repository_creation_template: {
    title: 'ECR creation template',
    name: 'prefix',
    findTaken: creationTemplates,
    command: 'ecr delete-repository-creation-template --prefix $name',
  },
  aws_codecommit_repository: {
    title: 'CodeCommit repository',
    name: 'repository_name',
    findTaken: gitRepositories,
    command: 'codecommit get-repository --repository-name $name',
  },
  aws_codepipeline: {
    title: 'pipeline',
    name: 'name',
    findTaken: pipelines,
    command: 'codepipeline delete-pipeline --name $name',
  },
  aws_codebuild_project: {
    title: 'CodeBuild project',
    name: 'name',
    findTaken: projects,
    command: 'codebuild delete-project --name $name',
  },
};
