import { z } from 'zod';
import { isDigest } from './digest.ts';
import { parseDocument } from './json.ts';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_INDEX,
  OCI_MANIFEST,
  isIndexMediaType,
} from './media-types.ts';

const annotations = z.record(z.string(), z.string());

const platformSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  'os.version': z.string().optional(),
});

const descriptorSchema = z.object({
  mediaType: z.string().min(1),
  digest: z.string().refine(isDigest, 'a digest as sha256:… or sha512:…'),
  size: z.int().min(0),
  platform: platformSchema.optional(),
  artifactType: z.string().optional(),
  annotations: annotations.optional(),
  urls: z.array(z.string()).optional(),
});

const neverBoth = z
  .undefined('an image manifest names layers, an index names manifests; this has both')
  .optional();

const imageManifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_MANIFEST, DOCKER_MANIFEST]).optional(),
  artifactType: z.string().optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).default([]),
  subject: descriptorSchema.optional(),
  annotations: annotations.optional(),
  manifests: neverBoth,
});

const imageIndexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_INDEX, DOCKER_MANIFEST_LIST]).optional(),
  artifactType: z.string().optional(),
  manifests: z.array(descriptorSchema).default([]),
  subject: descriptorSchema.optional(),
  annotations: annotations.optional(),
  config: neverBoth,
  layers: neverBoth,
});

/** Names content by digest: media type, digest, size in bytes. */
export type Descriptor = z.output<typeof descriptorSchema>;
export type ImageManifest = Omit<z.output<typeof imageManifestSchema>, 'mediaType' | 'manifests'> & {
  kind: 'manifest';
  mediaType: string;
};
type ImageIndex = Omit<z.output<typeof imageIndexSchema>, 'mediaType' | 'config' | 'layers'> & {
  kind: 'index';
  mediaType: string;
};
export type Manifest = ImageManifest | ImageIndex;

const shapeSchema = z.object({
  mediaType: z.string().optional(),
  manifests: z.unknown().optional(),
});

/**
 * Reads an OCI or Docker schema 2 manifest or index (image-spec 1.1 manifest.md and image-index.md).
 * `mediaType` is what it was declared as (a Content-Type or descriptor); where the document says so itself, the
 * two must agree, and a document that could be read both as a manifest and as an index is refused (CVE-2021-41190).
 * Throws MANIFEST_INVALID.
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  const declared = declaredMediaType(bytes, mediaType);
  if (isIndexMediaType(declared)) {
    const { config: _config, layers: _layers, ...index } = parseManifestDocument(bytes, imageIndexSchema);
    return { ...index, kind: 'index', mediaType: declared };
  }
  const { manifests: _manifests, ...manifest } = parseManifestDocument(bytes, imageManifestSchema);
  return { ...manifest, kind: 'manifest', mediaType: declared };
}

/** The image's own artifact type: image-spec 1.1 gives an image manifest without one its config's media type. */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  if (manifest.artifactType) return manifest.artifactType;
  return manifest.kind === 'manifest' ? manifest.config.mediaType : undefined;
}

function declaredMediaType(bytes: Uint8Array, mediaType: string | undefined): string {
  const known = z.enum(
    [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST],
    'OCI image manifests and indexes, Docker schema 2 manifests and manifest lists are accepted',
  );
  const schema = shapeSchema
    .transform((shape, context) => {
      if (mediaType !== undefined && shape.mediaType !== undefined && mediaType !== shape.mediaType) {
        context.addIssue({
          code: 'custom',
          path: ['mediaType'],
          message: `says ${shape.mediaType}, sent as ${mediaType}`,
        });
      }
      const guess = shape.manifests === undefined ? OCI_MANIFEST : OCI_INDEX;
      return { mediaType: shape.mediaType ?? mediaType ?? guess };
    })
    .pipe(z.object({ mediaType: known }));
  return parseManifestDocument(bytes, schema).mediaType;
}

function parseManifestDocument<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
): z.output<Schema> {
  return parseDocument(bytes, schema, 'MANIFEST_INVALID', 'manifest');
}
