import { TandemError } from '../../../../core/error.ts';
import { sha256 } from '../../../../platform/hash.ts';
import type { ToolSettings } from '../settings.ts';
import type { RegistryClient } from '../store/registry-client.ts';
import type { AwsCall } from './arguments.ts';

interface AwsContext {
  settings: ToolSettings;
  call: AwsCall;
  withRegistry<Result>(work: (client: RegistryClient) => Promise<Result>): Promise<Result>;
}

/** A text is printed as it is; anything else goes through `--query` and `--output`. */
type AwsAnswer = { text: string } | { document: unknown };
export type AwsOperation = (context: AwsContext) => Promise<AwsAnswer> | AwsAnswer;

/** The account that everything local belongs to; AWS gives no account this number. */
const LOCAL_ACCOUNT = '000000000000';
/** The registry is reached over loopback only and asks for no secret. */
const LOGIN_PASSWORD = 'tandem-local-registry';

/** To add a call: its function here, under its name. */
export const AWS_CALLS: Readonly<Record<string, AwsOperation>> = {
  'ecr get-login-password': () => ({ text: LOGIN_PASSWORD }),
  'ecr get-login': ({ settings }) => {
    throw new TandemError(
      'AWS_CALL_UNSUPPORTED',
      `aws ecr get-login is gone from the AWS CLI since version 2. Write: aws ecr get-login-password | docker login --username AWS --password-stdin ${settings.registryHost}`,
    );
  },
  'ecr describe-repositories': describeRepositories,
  'ecr describe-images': describeImages,
  'ecr list-images': listImages,
  'ecr batch-get-image': batchGetImage,
  'sts get-caller-identity': () => ({
    document: {
      UserId: 'tandem',
      Account: LOCAL_ACCOUNT,
      Arn: `arn:aws:iam::${LOCAL_ACCOUNT}:user/tandem`,
    },
  }),
};

function describeRepositories({ settings, call }: AwsContext): AwsAnswer {
  const names = call.options.get('repository-names') ?? [];
  if (names.length === 0)
    throw new TandemError(
      'AWS_CALL_UNSUPPORTED',
      'aws ecr describe-repositories is served with --repository-names only.',
    );
  const repositories = names.map(name => ({
    repositoryArn: `arn:aws:ecr:${settings.region}:${LOCAL_ACCOUNT}:repository/${name}`,
    registryId: LOCAL_ACCOUNT,
    repositoryName: name,
    repositoryUri: `${settings.registryHost}/${name}`,
  }));
  return { document: { repositories } };
}

async function describeImages({ call, withRegistry }: AwsContext): Promise<AwsAnswer> {
  const repository = repositoryName(call);
  const wanted = imageIds(call);
  const imageDetails = await withRegistry(async client => {
    const references = wanted.length === 0 ? await client.tags(repository) : wanted;
    const byDigest = new Map<string, { size: number; mediaType: string; tags: string[] }>();
    for (const reference of references) {
      const found = await client.manifest(repository, reference);
      if (found === undefined) throw imageNotFound(repository, reference);
      const digest = `sha256:${sha256(found.bytes)}`;
      const { tags = [] } = byDigest.get(digest) ?? {};
      if (!reference.startsWith('sha256:')) tags.push(reference);
      byDigest.set(digest, { size: sizeOf(found.bytes), mediaType: found.mediaType, tags });
    }
    return [...byDigest].map(([imageDigest, { size, mediaType, tags }]) => ({
      registryId: LOCAL_ACCOUNT,
      repositoryName: repository,
      imageDigest,
      imageTags: tags,
      imageSizeInBytes: size,
      imageManifestMediaType: mediaType,
    }));
  });
  return { document: { imageDetails } };
}

async function listImages({ call, withRegistry }: AwsContext): Promise<AwsAnswer> {
  const repository = repositoryName(call);
  const ids = await withRegistry(async client => {
    const found: { imageDigest: string; imageTag: string }[] = [];
    for (const imageTag of await client.tags(repository)) {
      const manifest = await client.manifest(repository, imageTag);
      if (manifest !== undefined) found.push({ imageDigest: `sha256:${sha256(manifest.bytes)}`, imageTag });
    }
    return found;
  });
  return { document: { imageIds: ids } };
}

async function batchGetImage({ call, withRegistry }: AwsContext): Promise<AwsAnswer> {
  const repository = repositoryName(call);
  const images: unknown[] = [];
  const failures: unknown[] = [];
  await withRegistry(async client => {
    for (const reference of imageIds(call)) {
      const isDigest = reference.startsWith('sha256:');
      const given = isDigest ? { imageDigest: reference } : { imageTag: reference };
      const found = await client.manifest(repository, reference);
      if (found === undefined) {
        failures.push({
          imageId: given,
          failureCode: 'ImageNotFound',
          failureReason: 'Requested image not found',
        });
        continue;
      }
      images.push({
        registryId: LOCAL_ACCOUNT,
        repositoryName: repository,
        imageId: { ...given, imageDigest: `sha256:${sha256(found.bytes)}` },
        imageManifest: Buffer.from(found.bytes).toString(),
        imageManifestMediaType: found.mediaType,
      });
    }
  });
  return { document: { images, failures } };
}

function repositoryName(call: AwsCall): string {
  const name = call.options.get('repository-name')?.[0];
  if (name !== undefined) return name;
  throw new TandemError(
    'AWS_CALL_UNSUPPORTED',
    `aws ${call.service} ${call.operation} needs --repository-name.`,
  );
}

/** `imageTag=latest imageDigest=sha256:…`, as shorthand or JSON. */
function imageIds(call: AwsCall): string[] {
  const given = (call.options.get('image-ids') ?? []).join(' ');
  return [...given.matchAll(/image(?:Tag|Digest)"?\s*[=:]\s*"?([^\s",}]+)/g)].map(([, id]) => id!);
}

function sizeOf(bytes: Uint8Array): number {
  const { layers = [] } = JSON.parse(Buffer.from(bytes).toString()) as { layers?: { size: number }[] };
  return layers.reduce((total, layer) => total + layer.size, 0);
}

function imageNotFound(repository: string, reference: string): TandemError {
  return new TandemError(
    'IMAGE_UNKNOWN',
    `An error occurred (ImageNotFoundException): The image with imageId ${reference} does not exist within the repository with name '${repository}'.`,
  );
}
