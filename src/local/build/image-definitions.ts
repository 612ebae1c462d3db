import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode, TandemError } from '../../core/error.ts';
import type { BuiltImage } from '../../model/build.ts';
import type { RegionName } from '../../model/names.ts';
import { parseImageReference } from '../../wire/oci/reference.ts';
import { FileRefusedError, readTextWithin } from '../../platform/files.ts';
import type { Registry } from '../registry/contract.ts';

const IMAGE_DEFINITIONS_FILE = 'imagedefinitions.json';

/** CodePipeline's limit for this file. */
const LONGEST_FILE_BYTES = 100 * 1024;

const definitionsSchema = z.array(z.object({ name: z.string().min(1), imageUri: z.string().min(1) })).min(1);

/**
 * Reads `imagedefinitions.json` from the first of `folders` that has it, and each image's digest from this region's
 * registry: what is deployed later is exactly that digest. Throws IMAGE_DEFINITIONS_MISSING,
 * IMAGE_DEFINITIONS_INVALID, IMAGE_NOT_LOCAL (another registry's image) or IMAGE_NOT_PUSHED.
 */
export async function resolveImages(
  folders: readonly string[],
  registry: Pick<Registry, 'manifest'>,
  place: { registryHost: string; region: RegionName },
): Promise<BuiltImage[]> {
  const definitions = await readDefinitions(folders);
  const images: BuiltImage[] = [];
  for (const { name, imageUri } of definitions) {
    images.push({ name, imageUri, digest: await digestOf(imageUri, registry, place) });
  }
  return images;
}

async function readDefinitions(folders: readonly string[]): Promise<z.output<typeof definitionsSchema>> {
  for (const folder of folders) {
    try {
      return parseDefinitions(await readTextWithin(join(folder, IMAGE_DEFINITIONS_FILE), LONGEST_FILE_BYTES));
    } catch (error) {
      if (error instanceof FileRefusedError) throw invalid(error.message);
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }
  throw new TandemError(
    'IMAGE_DEFINITIONS_MISSING',
    `the build wrote no ${IMAGE_DEFINITIONS_FILE}, so there is nothing to deploy: write it in post_build, as ` +
      `printf '[{"name":"%s","imageUri":"%s"}]' "$CONTAINER_NAME" "$REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION" > ${IMAGE_DEFINITIONS_FILE}, ` +
      `and list it under artifacts.files of the buildspec`,
  );
}

function parseDefinitions(text: string): z.output<typeof definitionsSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(`is not JSON: ${text.slice(0, 80)}`);
  }
  const parsed = definitionsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(`is not [{"name": …, "imageUri": …}, …]: ${text.slice(0, 80)}`);
}

function invalid(fault: string): TandemError {
  return new TandemError('IMAGE_DEFINITIONS_INVALID', `${IMAGE_DEFINITIONS_FILE} ${fault}`);
}

async function digestOf(
  imageUri: string,
  registry: Pick<Registry, 'manifest'>,
  { registryHost, region }: { registryHost: string; region: RegionName },
): Promise<string> {
  const reference = parseImageReference(imageUri);
  if (reference.registry !== registryHost) {
    throw new TandemError(
      'IMAGE_NOT_LOCAL',
      `${IMAGE_DEFINITIONS_FILE} names ${imageUri}, which is not in the registry of ${region} (${registryHost}): ` +
        `push to $REPOSITORY_URI, which this build is given, and name that`,
    );
  }
  const manifest = await registry.manifest(
    reference.repository,
    reference.digest ?? reference.tag ?? 'latest',
  );
  if (manifest !== undefined) return manifest.digest;
  throw new TandemError(
    'IMAGE_NOT_PUSHED',
    `${IMAGE_DEFINITIONS_FILE} names ${imageUri}, but the registry of ${region} has no such image: docker push it before the build ends`,
  );
}
