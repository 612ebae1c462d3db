/** Every environment there may be, in the order in which a release passes through them. */
export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The two environments that the pipeline deploys to, in order. */
export const PIPELINE_ENVIRONMENTS = ['staging', 'production'] as const;
export type PipelineEnvironment = (typeof PIPELINE_ENVIRONMENTS)[number];

/** The stages of the pipeline, in order (CodePipeline's words). */
export const STAGE_NAMES = ['Source', 'Build', 'Staging', 'Approval', 'Production'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** A full Git commit id: 40 lower-case hex digits (SHA-1) or 64 (SHA-256). */
export type CommitId = string;

/** An OCI digest: `sha256:` and 64 lower-case hex digits. */
export type Digest = string;

/** An AWS region's name, as `us-east-1`. */
export type RegionName = string;
