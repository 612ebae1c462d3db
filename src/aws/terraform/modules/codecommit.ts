import { CodecommitRepository } from '@cdktn/provider-aws/lib/codecommit-repository/index.js';
import { Construct } from 'constructs';

export interface CodecommitInput {
  name: string;
  description: string;
  /** Terraform then refuses to delete the repository, which AWS would delete with all its history. */
  protect: boolean;
}

export interface CodecommitOutput {
  name: string;
  arn: string;
  cloneUrl: string;
}

/** A Git repository, encrypted at rest by CodeCommit. */
export function codecommit(scope: Construct, id: string, input: CodecommitInput): CodecommitOutput {
  const here = new Construct(scope, id);
  const repository = new CodecommitRepository(here, 'repository', {
    repositoryName: input.name,
    description: input.description,
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
  return { name: repository.repositoryName, arn: repository.arn, cloneUrl: repository.cloneUrlHttp };
}
