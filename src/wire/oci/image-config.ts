import { z } from 'zod';
import { parseDocument } from './json.ts';

const stringList = z.array(z.string());
const emptyObjects = z.record(z.string(), z.unknown());

/** Durations are nanoseconds, as Docker writes them. */
const healthcheckSchema = z.object({
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', command]`. */
  Test: stringList.optional(),
  Interval: z.number().optional(),
  Timeout: z.number().optional(),
  StartPeriod: z.number().optional(),
  StartInterval: z.number().optional(),
  Retries: z.int().optional(),
});

const containerConfigSchema = z.object({
  User: z.string().optional(),
  /** Keys as `8080/tcp`. */
  ExposedPorts: emptyObjects.optional(),
  /** `NAME=value`. */
  Env: stringList.optional(),
  Entrypoint: stringList.optional(),
  Cmd: stringList.optional(),
  Volumes: emptyObjects.optional(),
  WorkingDir: z.string().optional(),
  Labels: z.record(z.string(), z.string()).optional(),
  StopSignal: z.string().optional(),
  Healthcheck: healthcheckSchema.optional(),
  Shell: stringList.optional(),
  OnBuild: stringList.optional(),
});

const imageConfigSchema = z.object({
  created: z.string().optional(),
  author: z.string().optional(),
  architecture: z.string().min(1),
  os: z.string().min(1),
  variant: z.string().optional(),
  config: containerConfigSchema.default({}),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: stringList.default([]) }),
  history: z
    .array(
      z.object({
        created: z.string().optional(),
        created_by: z.string().optional(),
        author: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .default([]),
});

export type Healthcheck = z.output<typeof healthcheckSchema>;
export type ContainerConfig = z.output<typeof containerConfigSchema>;
/** An image's configuration (image-spec 1.1 config.md, with Docker's Healthcheck, Shell and OnBuild). */
export type ImageConfig = z.output<typeof imageConfigSchema>;

/** Reads the blob that a manifest's `config` names. Throws IMAGE_CONFIG_INVALID. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  return parseDocument(bytes, imageConfigSchema, 'IMAGE_CONFIG_INVALID', 'image configuration');
}
