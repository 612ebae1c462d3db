import { z } from 'zod';
import { formed, intact } from './text.ts';

/** CodeBuild would take an ARN for a file in S3, and people type a space or a backslash by mistake. */
const BUILDSPEC =
  // oxlint-disable-next-line no-control-regex
  /^(?![/ ]|arn:)(?!(.*\/)?\.\.(\/|$))(?!.*\/\/)[^\u0000-\u001f\u007f\\]{1,255}(?<![/ ])$/;

export const buildSchema = z.strictObject({
  buildspec: intact(formed(BUILDSPEC, 'a path inside the repository, as `buildspec.yml`'))
    .default('buildspec.yml')
    .describe('Path of the buildspec in the repository.'),
  timeoutMinutes: z.number().positive().max(2160).default(60).describe('A build that runs longer is ended.'),
  environment: z
    .record(
      formed(
        /^(?!CODEBUILD_)[A-Za-z_][A-Za-z0-9_]*$/,
        'a name of letters, digits and underscores, no digit first, and not beginning with CODEBUILD_, which is CodeBuild’s own',
      ),
      intact(z.string()),
    )
    .default({})
    .describe("The project's environment variables; they win over the buildspec's."),
});
