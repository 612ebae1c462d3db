import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Answers } from './script-run.ts';

const run = promisify(execFile);

/** The value of an argument: `argument --image-ids "$@"`. */
const ARGUMENT = `argument() { local name=$1; shift; while [ "$1" != "$name" ]; do shift; done; printf '%s' "$2"; }
blob() { local given; given=$(argument "$@"); cat "\${given#file*://}"; }
`;

/**
 * A repository of signatures that keeps what it is given, and a key that truly signs (OpenSSL, ECDSA on P-256, as KMS
 * does): answers for the AWS CLI, in terms of the API references of Amazon ECR and AWS KMS.
 */
export const SIGNATURE_ANSWERS: Answers = {
  'kms sign': [
    {
      runs: `${ARGUMENT}blob --message "$@" | openssl dgst -sha256 -sign "$WORLD/key.pem" | base64 -w 0`,
    },
  ],
  'kms verify': [
    {
      runs: `${ARGUMENT}blob --signature "$@" > "$WORLD/signature"; blob --message "$@" > "$WORLD/message"
if openssl dgst -sha256 -verify "$WORLD/public.pem" -signature "$WORLD/signature" "$WORLD/message" > /dev/null 2>&1
then echo True
else echo 'An error occurred (KMSInvalidSignatureException) when calling the Verify operation' >&2; exit 254
fi`,
    },
  ],
  'ecr initiate-layer-upload': ['upload'],
  'ecr upload-layer-part': [{ runs: `${ARGUMENT}blob --layer-part-blob "$@" > "$WORLD/upload"` }],
  'ecr complete-layer-upload': [
    {
      runs: `${ARGUMENT}digest=$(argument --layer-digests "$@")
if [ "$digest" != "sha256:$(sha256sum "$WORLD/upload" | cut -d ' ' -f 1)" ]
then echo 'An error occurred (InvalidLayerException)' >&2; exit 254; fi
mv "$WORLD/upload" "$WORLD/blobs/$digest"`,
    },
  ],
  'ecr put-image': [
    {
      runs: `${ARGUMENT}tag=$(argument --image-tag "$@")
case "$tag" in in-use-*) exit 0 ;; esac
if [ -f "$WORLD/tags/$tag" ]; then echo 'An error occurred (ImageTagAlreadyExistsException)' >&2; exit 254; fi
blob --image-manifest "$@" > "$WORLD/tags/$tag"`,
    },
  ],
  'ecr batch-get-image': [
    {
      runs: `${ARGUMENT}wanted=$(argument --image-ids "$@")
if [ -f "$WORLD/tags/\${wanted#imageTag=}" ]
then jq -Rs '{images: [{imageManifest: .}], failures: []}' "$WORLD/tags/\${wanted#imageTag=}"
else echo '{"images":[],"failures":[{"failureCode":"ImageNotFound"}]}'
fi`,
    },
  ],
  'ecr get-download-url-for-layer': [
    { runs: `${ARGUMENT}printf 'file://%s/blobs/%s\\n' "$WORLD" "$(argument --layer-digest "$@")"` },
  ],
};

/** Gives it to a test, with a key of its own. */
export async function inSignatureWorld(use: (world: SignatureWorld) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-signatures-'));
  try {
    await mkdir(join(folder, 'tags'));
    await mkdir(join(folder, 'blobs'));
    const world = new SignatureWorld(folder);
    await world.renewKey();
    await use(world);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export class SignatureWorld {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async renewKey(): Promise<void> {
    const [key, open] = [join(this.folder, 'key.pem'), join(this.folder, 'public.pem')];
    await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
    await run('openssl', ['ec', '-in', key, '-pubout', '-out', open]);
  }

  /** The manifest of the signature of an image. */
  async signatureOf(digest: string): Promise<SignatureManifest> {
    return JSON.parse(await readFile(this.tag(digest), 'utf8')) as SignatureManifest;
  }

  async putSignature(digest: string, manifest: SignatureManifest): Promise<void> {
    await writeFile(this.tag(digest), JSON.stringify(manifest));
  }

  async blob(digest: string): Promise<Buffer> {
    return readFile(join(this.folder, 'blobs', digest));
  }

  async writeBlob(digest: string, text: string): Promise<void> {
    await writeFile(join(this.folder, 'blobs', digest), text);
  }

  /** The public half of the key, as PEM. */
  async publicKey(): Promise<string> {
    return readFile(join(this.folder, 'public.pem'), 'utf8');
  }

  private tag(digest: string): string {
    return join(this.folder, 'tags', `${digest.replace(':', '-')}.sig`);
  }
}

export interface SignatureManifest {
  mediaType: string;
  config: { mediaType: string; digest: string; size: number };
  layers: { mediaType: string; digest: string; size: number; annotations: Record<string, string> }[];
}
