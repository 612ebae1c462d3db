import { z } from 'zod';

export const pipelineSchema = z.strictObject({
  branch: z.string().min(1).default('main').describe('Pushes to this branch start an execution.'),
  executionMode: z
    .enum(['SUPERSEDED', 'QUEUED', 'PARALLEL'])
    .default('SUPERSEDED')
    .describe(
      'What a newer execution does to an older one: SUPERSEDED takes its place where it waits, QUEUED waits behind ' +
        'it, PARALLEL runs beside it (where both deploy to one service, the newer deployment wins, as in ECS, and ' +
        'the older execution ends as superseded).',
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
