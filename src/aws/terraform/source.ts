import { repositoryPage } from '../../model/config/repository-page.ts';
import { codecommit, type CodecommitOutput } from './modules/codecommit.ts';
import { codeconnection } from './modules/codeconnection.ts';
import type { SourceRepository } from './modules/codebuild-project.ts';
import type { PipelineSource } from './modules/codepipeline.ts';
import type { PolicyStatement } from './policy.ts';
import type { Region } from './region-stack.ts';
import { output } from './stack.ts';

/** Where a region's commits come from, for those who need them. */
export interface CommitSource {
  /** The region's own repository, where it has one. */
  repository?: CodecommitOutput;
  forPipeline: PipelineSource;
  forBuild: Omit<SourceRepository, 'artifacts'>;
  /** Where a person sees what changed, with FROM and TO in place of commits. */
  compareUrl: string;
  commitUrl: string;
  /** What a build needs to clone it. */
  cloneStatement: PolicyStatement;
}

const CONNECTIONS = {
  github: { provider: 'GitHub', type: 'GITHUB', pages: '' },
  gitlab: { provider: 'GitLab', type: 'GITLAB', pages: '/-' },
} as const;

/** A Git repository of the region's own, or a connection to one elsewhere, which a person completes in the console. */
export function commitSource({ stack, config, names, protect }: Region): CommitSource {
  const { provider, repository } = config.pipeline.source;
  if (provider === 'codecommit') {
    const own = codecommit(stack, 'repository', {
      name: names.prefix,
      description: `${config.application} of ${config.customer}`,
      protect,
    });
    output(stack, 'repository-url', own.cloneUrl);
    const pages = `https://${stack.region}.console.aws.amazon.com/codesuite/codecommit/repositories/${names.prefix}`;
    return {
      repository: own,
      forPipeline: { kind: 'codecommit', repositoryName: own.name, repositoryArn: own.arn },
      forBuild: { type: 'CODECOMMIT', cloneUrl: own.cloneUrl },
      compareUrl: `${pages}/compare/FROM/.../TO?region=${stack.region}`,
      commitUrl: `${pages}/commit/TO?region=${stack.region}`,
      cloneStatement: { Sid: 'Clone', Action: 'codecommit:GitPull', Resource: own.arn },
    };
  }
  const { type, pages, provider: providerType } = CONNECTIONS[provider];
  const connectionArn = codeconnection(stack, 'connection', { name: names.connection, providerType });
  const page = repositoryPage(provider, repository);
  const cloneUrl = `${page}.git`;
  output(stack, 'repository-url', cloneUrl);
  output(stack, 'connection', connectionArn);
  return {
    forPipeline: { kind: 'connection', connectionArn, repositoryId: repository },
    forBuild: { type, cloneUrl, connectionArn },
    compareUrl: `${page}${pages}/compare/FROM...TO`,
    commitUrl: `${page}${pages}/commit/TO`,
    cloneStatement: {
      Sid: 'Clone',
      Action: [
        'codeconnections:UseConnection',
        'codeconnections:GetConnection',
        'codeconnections:GetConnectionToken',
      ],
      Resource: connectionArn,
    },
  };
}
