import { z } from 'zod';
import { formed, intact } from './text.ts';

/** What `git check-ref-format --branch` takes, without what CodePipeline reads as a variable of its own. */
const BRANCH =
  // oxlint-disable-next-line no-control-regex
  /^(?![-/]|@$)(?!.*(\/\/|\.\.|[@#]\{|\/\.|\.lock(\/|$)))(?!\.)[^\u0000-\u0020\u007f~^:?*[\\]{1,256}(?<![./])$/;

/** At GitLab groups may be in groups. */
const REPOSITORY = /^(?!.*\.git$)(?!(.*\/)?\.\.?(\/|$))([\w.-]+(\/[\w.-]+)+)?$/;

const sourceSchema = z
  .strictObject({
    provider: z
      .enum(['codecommit', 'github', 'gitlab'])
      .default('codecommit')
      .describe(
        'Where AWS takes commits from: a repository in every region, or one elsewhere by CodeConnections.',
      ),
    repository: formed(REPOSITORY, 'owner and name as `acme/storefront`, without `.git`; or empty')
      .default('')
      .describe('The repository at GitHub or GitLab.'),
  })
  .superRefine(({ provider, repository }, context) => {
    if (provider === 'github' && repository.split('/').length > 2) {
      context.addIssue({
        code: 'custom',
        path: ['repository'],
        input: repository,
        message: 'one owner and one name, as acme/storefront: GitHub has no groups',
      });
    }
    if ((provider === 'codecommit') === (repository === '')) return;
    context.addIssue({
      code: 'custom',
      path: ['repository'],
      input: repository,
      message:
        repository === '' ? `the repository at ${provider}, as acme/storefront` : 'empty with codecommit',
    });
  });

export const pipelineSchema = z.strictObject({
  source: sourceSchema.prefault({}).describe('Where commits come from, on AWS.'),
  branch: intact(
    formed(BRANCH, 'the name of a branch as git allows it, of at most 256 characters, without `#{`'),
  )
    .default('main')
    .describe('Pushes to this branch start an execution.'),
  executionMode: z
    .enum(['SUPERSEDED', 'QUEUED', 'PARALLEL'])
    .default('SUPERSEDED')
    .describe(
      'What a newer execution does to an older one: SUPERSEDED takes its place where it waits, QUEUED waits behind ' +
        'it, PARALLEL runs beside it (where both deploy to one service, the newer deployment wins, as in ECS, and ' +
        'the older execution ends as superseded, on AWS as failed; not with `deployment.gate`).',
    ),
  artifactDays: z
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe('What an execution hands from stage to stage is deleted after these days; a retry needs it.'),
  approval: z
    .strictObject({
      required: z.boolean().default(true).describe('Ask a person before production.'),
      expiresAfterDays: z
        .number()
        .positive()
        .max(30)
        .default(7)
        .describe('An unanswered approval then fails.'),
    })
    .prefault({})
    .describe('The question to a person before production.'),
});
