import { z } from 'zod';
import { environmentVariables, formed } from './text.ts';

export const buildSchema = z.strictObject({
  buildspec: formed(
    /^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\n\r]+$/,
    'a path inside the repository, as `buildspec.yml`',
  )
    .default('buildspec.yml')
    .describe('Path of the buildspec in the repository.'),
  timeoutMinutes: z.number().positive().max(2160).default(60).describe('A build that runs longer is ended.'),
  environment: environmentVariables
    .default({})
    .describe("The project's environment variables; they win over the buildspec's."),
});
