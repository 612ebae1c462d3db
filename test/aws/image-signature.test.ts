import { createHash, createVerify } from 'node:crypto';
import { expect, test } from 'vitest';
import { imageBuildspec } from '../../src/aws/terraform/modules/image-buildspec.ts';
import { releaseBuildspec } from '../../src/aws/terraform/modules/release-buildspec.ts';
import { runScript, type Answers, type ScriptRun } from './script-run.ts';
import { inSignatureWorld, SIGNATURE_ANSWERS, type SignatureWorld } from './signature-world.ts';

/* Both scripts run here, with a key that truly signs: what the build signs, the release takes, and nothing else. */

const DIGEST = `sha256:${'b'.repeat(64)}`;
const OTHER = `sha256:${'c'.repeat(64)}`;
const ANNOTATION = 'dev.cosignproject.cosign/signature';

test('what was built is signed as cosign signs, with the key of the region', async () => {
  await inSignatureWorld(async world => {
    await built(world, run => expect(run.stdout).toContain(`Signed ${DIGEST}`));
    const { mediaType, config, layers } = await world.signatureOf(DIGEST);
    expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    const payload = await world.blob(layers[0]!.digest);
    expect(JSON.parse(String(payload))).toEqual({
      critical: {
        identity: { 'docker-reference': 'registry/storefront' },
        image: { 'docker-manifest-digest': DIGEST },
        type: 'cosign container image signature',
      },
      optional: null,
    });
    // What a verifier does that has the public key and nothing else.
    const signature = layers[0]!.annotations[ANNOTATION]!;
    const verifier = createVerify('sha256').update(payload);
    expect(verifier.verify(await world.publicKey(), signature, 'base64')).toBe(true);
    for (const { digest, size } of [config, ...layers]) {
      const content = await world.blob(digest);
      expect(content.length).toBe(size);
      expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(digest);
    }
    const { rootfs } = JSON.parse(String(await world.blob(config.digest))) as {
      rootfs: { diff_ids: string[] };
    };
    expect(rootfs.diff_ids).toEqual([layers[0]!.digest]);
  });
});

test('a signed image is released', async () => {
  await inSignatureWorld(async world => {
    await built(world);
    await released(world, run => {
      expect(run.stderr).toBe('');
      expect(run.exitCode).toBe(0);
    });
  });
});

test.each<[what: string, why: string, spoil: (world: SignatureWorld) => Promise<void>]>([
  ['that nobody signed', 'it is not signed', () => Promise.resolve()],
  [
    'signed by another key',
    'is not by alias/storefront-signing, or was altered',
    async world => {
      await built(world);
      await world.renewKey();
    },
  ],
  [
    'with another image’s signature',
    "the signature beside it is another image's",
    async world => {
      await built(world, undefined, OTHER);
      await world.putSignature(DIGEST, await world.signatureOf(OTHER));
    },
  ],
  [
    'whose signature was changed to name it',
    'is not by alias/storefront-signing, or was altered',
    async world => {
      await built(world, undefined, OTHER);
      const manifest = await world.signatureOf(OTHER);
      const { digest } = manifest.layers[0]!;
      await world.writeBlob(digest, String(await world.blob(digest)).replace(OTHER, DIGEST));
      await world.putSignature(DIGEST, manifest);
    },
  ],
  [
    'whose signature is empty',
    'in storefront-signatures that is one',
    async world => {
      await built(world);
      await world.putSignature(DIGEST, { ...(await world.signatureOf(DIGEST)), layers: [] });
    },
  ],
])('an image %s is refused before anything changes', async (_what, why, spoil) => {
  await inSignatureWorld(async world => {
    await spoil(world);
    await released(world, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain(`Refused ${DIGEST}`);
      expect(run.stderr).toContain(why);
      expect(run.stderr).toContain(`name=SIGN,value=${DIGEST}`);
      expect(run.calls.filter(call => call.startsWith('ecs '))).toEqual([]);
    });
  });
});

test('that KMS does not answer is no good signature, and said to be something else', async () => {
  await inSignatureWorld(async world => {
    await built(world);
    const answers = { 'kms verify': [{ fails: 'An error occurred (AccessDeniedException)' }] };
    await released(world, answers, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('AccessDeniedException');
      expect(run.stderr).toContain('KMS did not verify its signature');
    });
  });
});

test('an image that is there is taken only with a signature, which may come after it', async () => {
  await inSignatureWorld(async world => {
    await built(world);
    const manifest = await world.signatureOf(DIGEST);
    const none = JSON.stringify({ images: [] });
    const found = JSON.stringify({ images: [{ imageManifest: JSON.stringify(manifest) }] });
    const answers = { ...THERE, 'ecr batch-get-image': [none, none, found] };
    await runImage(world, { answers }, async run => {
      expect(run.stderr).toBe('');
      expect(await run.written('imagedefinitions.json')).toEqual([
        { name: 'app', imageUri: `registry/storefront@${DIGEST}` },
      ]);
    });
  });
});

test('an image that is there and stays unsigned is not taken', async () => {
  await inSignatureWorld(async world => {
    await runImage(world, { answers: THERE, environment: { SIGNATURE_SECONDS: '0' } }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('it is not signed');
      expect(run.calls.some(call => call.startsWith('kms sign'))).toBe(false);
    });
  });
});

test('a person who knows an image has it signed, and then it is released', async () => {
  await inSignatureWorld(async world => {
    await runImage(world, { answers: {}, environment: { SIGN: DIGEST } }, run => {
      expect(run.stderr).toBe('');
      expect(run.exitCode).toBe(0);
    });
    await released(world, run => expect(run.exitCode).toBe(0));
    await runImage(world, { answers: {}, environment: { SIGN: DIGEST } }, run => {
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr).toContain('has a signature already');
    });
  });
});

const SIGNING = {
  SIGNATURES: 'storefront-signatures',
  SIGNING_KEY: 'alias/storefront-signing',
  IMAGE_PROJECT: 'storefront-image',
  REPOSITORY_NAME: 'storefront',
  REPOSITORY_URI: 'registry/storefront',
  CONTAINER_NAME: 'app',
};
const THERE: Answers = { 'ecr describe-images': [DIGEST] };
const definitions = (digest: string) =>
  JSON.stringify([{ name: 'app', imageUri: `registry/storefront@${digest}` }]);

type Examine = (run: ScriptRun) => void | Promise<void>;

/** Has no image yet, and builds one. */
async function built(
  world: SignatureWorld,
  examine: Examine = run => expect(run.stderr).toBe(''),
  digest = DIGEST,
): Promise<void> {
  const answers = {
    'ecr describe-images': [{ fails: 'An error occurred (ImageNotFoundException)' }],
    'codebuild start-build': ['storefront-build:1'],
    'codebuild batch-get-builds': ['SUCCEEDED', 'arn:aws:s3:::artifacts/builds/1/build'],
  };
  await runImage(world, { answers, files: { 'built.json': definitions(digest) } }, examine);
}

async function runImage(
  world: SignatureWorld,
  given: {
    answers: Answers;
    environment?: Record<string, string>;
    files?: Record<string, string>;
  },
  examine: Examine,
): Promise<void> {
  await runScript(
    imageBuildspec(),
    {
      ...given,
      answers: { ...SIGNATURE_ANSWERS, ...given.answers },
      environment: {
        ...SIGNING,
        COMMIT: 'c0ffee',
        BUILD_PROJECT: 'storefront-build',
        WAIT_MINUTES: '0',
        ...given.environment,
      },
      world: world.folder,
    },
    examine,
  );
}

async function released(world: SignatureWorld, ...rest: [Examine] | [Answers, Examine]): Promise<void> {
  const [answers, examine] = rest.length === 1 ? [{}, rest[0]] : rest;
  await runScript(
    releaseBuildspec(),
    {
      environment: {
        ...SIGNING,
        CLUSTER: 'storefront-production',
        SERVICE: 'storefront-production',
        FAMILY: 'storefront-production',
        ENVIRONMENT: 'production',
        MODE: 'deploy',
        RELEASE: 'c0ffee',
        STEPS: '[]',
        GATE_PERCENT: '',
        LIMIT_MINUTES: '60',
        MIGRATION: '',
        MINIMUM_REQUESTS: '0',
      },
      answers: {
        ...SIGNATURE_ANSWERS,
        'ecs describe-task-definition': ['{"taskDefinition":{"family":"f","containerDefinitions":[]}}'],
        'ecs register-task-definition': ['revision:7'],
        'ecs list-service-deployments': [
          '{"serviceDeployments":[{"serviceDeploymentArn":"new","targetServiceRevisionArn":"new"}]}',
        ],
        'ecs describe-service-revisions': [
          '{"serviceRevisions":[{"serviceRevisionArn":"new","taskDefinition":"revision:7"}]}',
        ],
        'ecs describe-service-deployments': ['{"serviceDeployments":[{"status":"SUCCESSFUL"}]}'],
        ...answers,
      },
      files: { 'imagedefinitions.json': definitions(DIGEST) },
      world: world.folder,
    },
    examine,
  );
}
