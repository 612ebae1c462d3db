import { z } from 'zod';
import { ON_FAILURE_FORMS, parseOnFailure } from './on-failure.ts';

/*
 * The buildspec as CodeBuild's reference lays it down, version 0.2. YAML is read so that every scalar is text (`1.10`
 * stays `1.10`, `yes` stays `yes`), and each schema's message is what is allowed at its place: faults.ts adds the
 * rest. Where AWS's own guides write one text in place of a list (`files: imagedefinitions.json`), it is taken.
 */

export const BUILD_PHASE_KEYS = ['install', 'pre_build', 'build', 'post_build'] as const;
export type BuildPhaseKey = (typeof BUILD_PHASE_KEYS)[number];

const REPORT_FORMATS = [
  'JUNITXML',
  'CUCUMBERJSON',
  'NUNITXML',
  'NUNIT3XML',
  'TESTNGXML',
  'VISUALSTUDIOTRX',
  'CLOVERXML',
  'COBERTURAXML',
  'JACOCOXML',
  'SIMPLECOV',
] as const;

const MOST_REPORT_GROUPS = 5;
const MOST_FALLBACK_KEYS = 5;

const text = (allowed: string) => z.string({ error: allowed }).min(1, { error: allowed });
const listOf = (allowed: string) =>
  z.array(text(allowed), { error: `a list, each ${allowed}` }).min(1, { error: `at least ${allowed}` });
const oneOrMore = (allowed: string) =>
  z.preprocess(value => (typeof value === 'string' && value !== '' ? [value] : value), listOf(allowed));

const yesOrNo = z
  .enum(['yes', 'no', 'true', 'false'], { error: 'yes or no' })
  .transform(value => value === 'yes' || value === 'true');

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'a name of letters, digits and underscores' })
  .refine(name => !name.startsWith('CODEBUILD_'), {
    error: 'a name that does not begin with CODEBUILD_, which is reserved',
  });

/** Missing value of `KEY:` reads as an empty text. */
const variables = (allowed: string, value: z.ZodType<string>) =>
  z.record(variableName, value, { error: allowed });

const userName = text('the name of a user of this machine');

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? keys : `a mapping with ${keys}`),
  });
}

const phaseShape = {
  'run-as': userName.optional(),
  'on-failure': z
    .string({ error: ON_FAILURE_FORMS })
    .transform((value, context) => {
      const parsed = parseOnFailure(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: ON_FAILURE_FORMS, input: value });
      return z.NEVER;
    })
    .optional(),
  commands: listOf('a command (quote one that contains ": ")').optional(),
  finally: listOf('a command (quote one that contains ": ")').optional(),
};

const phase = section(phaseShape);
const installPhase = section({
  ...phaseShape,
  'runtime-versions': z
    .record(z.string(), text('a version'), { error: 'a mapping of runtimes to versions' })
    .optional(),
});

const reportGroup = section({
  files: oneOrMore('a path or pattern of report files'),
  'file-format': z
    .preprocess(
      value => (typeof value === 'string' ? value.toUpperCase() : value),
      z.enum(REPORT_FORMATS, { error: REPORT_FORMATS.join(', ') }),
    )
    .default('JUNITXML'),
  'base-directory': text('a folder').optional(),
  'discard-paths': yesOrNo.default(false),
});

const artifactShape = {
  name: text('a name').optional(),
  'discard-paths': yesOrNo.default(false),
  'base-directory': text('a folder, or a pattern of folders').optional(),
  'exclude-paths': oneOrMore('a path or pattern').default([]),
  'enable-symlinks': yesOrNo.default(false),
  's3-prefix': text('a key prefix').optional(),
};
const artifactFiles = oneOrMore('a path or pattern of files');
const secondaryArtifact = section({ files: artifactFiles, ...artifactShape });

const artifacts = section({
  files: artifactFiles.optional(),
  ...artifactShape,
  'secondary-artifacts': z
    .record(
      z.string().regex(/^[A-Za-z0-9_]+$/, { error: 'an identifier of letters, digits and underscores' }),
      secondaryArtifact,
      { error: 'a mapping of identifiers to artifacts' },
    )
    .optional(),
}).superRefine((value, context) => {
  if (value.files !== undefined || value['secondary-artifacts'] !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['files'],
    message: 'a list of paths or patterns (or secondary-artifacts)',
  });
});

const cache = section({
  key: text('a key').optional(),
  'fallback-keys': oneOrMore('a prefix of a key')
    .pipe(z.array(z.string()).max(MOST_FALLBACK_KEYS, { error: `at most ${MOST_FALLBACK_KEYS} keys` }))
    .default([]),
  action: z.enum(['restore', 'save'], { error: 'restore or save' }).optional(),
  paths: oneOrMore('a path or pattern of files'),
});

export const buildspecSchema = section({
  version: z.literal('0.2', { error: '0.2' }),
  'run-as': userName.optional(),
  env: section({
    shell: z.enum(['bash', '/bin/sh', 'sh'], { error: 'bash or /bin/sh' }).optional(),
    variables: variables('a mapping of names to values', z.string({ error: 'a text' })).default({}),
    'parameter-store': variables('a mapping of names to parameters', text('the name of a parameter')).default(
      {},
    ),
    'secrets-manager': variables(
      'a mapping of names to secrets',
      text('secret-id:json-key:version-stage:version-id'),
    ).default({}),
    'exported-variables': z
      .array(
        variableName.refine(name => !name.startsWith('AWS_'), {
          error: 'a name that does not begin with AWS_, which CodeBuild does not export',
        }),
        { error: 'a list of variable names' },
      )
      .default([]),
    'git-credential-helper': yesOrNo.optional(),
  }).prefault({}),
  proxy: section({ 'upload-artifacts': yesOrNo.optional(), logs: yesOrNo.optional() }).optional(),
  batch: z
    .undefined({
      error:
        'no batch section, since a build here is one build: remove it, or name a buildspec without it as build.buildspec in tandem.config.ts',
    })
    .optional(),
  phases: section({
    install: installPhase.optional(),
    pre_build: phase.optional(),
    build: phase.optional(),
    post_build: phase.optional(),
  }),
  reports: z
    .record(text('a report group'), reportGroup, { error: 'a mapping of report groups' })
    .refine(groups => Object.keys(groups).length <= MOST_REPORT_GROUPS, {
      error: `at most ${MOST_REPORT_GROUPS} report groups`,
    })
    .default({}),
  artifacts: artifacts.optional(),
  cache: cache.optional(),
});

/** A valid buildspec, its keys as written. */
export type Buildspec = z.output<typeof buildspecSchema>;
export type ArtifactSettings = z.output<typeof secondaryArtifact>;
export type ReportGroupSettings = z.output<typeof reportGroup>;
export type CacheSettings = z.output<typeof cache>;
