import { expect, test } from 'vitest';
import { imageBuildspec } from '../../src/aws/terraform/modules/image-buildspec.ts';
import { runScript, type Answer, type Answers, type ScriptRun } from './script-run.ts';

/* The script itself runs here, in Bash; what ECR and CodeBuild answer is as their API references say. */

const DIGEST = `sha256:${'b'.repeat(64)}`;
const NONE: Answer = {
  fails: 'An error occurred (ImageNotFoundException) when calling the DescribeImages operation',
};

test('an image of the commit that is there is taken, by its digest, and nothing is built', async () => {
  await found({ 'ecr describe-images': [DIGEST] }, async run => {
    expect(run.exitCode).toBe(0);
    expect(await run.written('imagedefinitions.json')).toEqual([
      { name: 'app', imageUri: `registry/storefront@${DIGEST}` },
    ]);
    expect(run.calls.filter(call => call.startsWith('codebuild'))).toEqual([]);
  });
});

test('a replica that comes while it is waited for is taken', async () => {
  await found({ 'ecr describe-images': [NONE, NONE, DIGEST] }, run => {
    expect(run.exitCode).toBe(0);
    expect(run.calls.filter(call => call.startsWith('codebuild'))).toEqual([]);
  });
});

test('without one the commit is built, and what it built is taken by its digest', async () => {
  const answers = { ...BUILT, 'ecr describe-images': [NONE, DIGEST] };
  await found(answers, async run => {
    expect(run.stderr).toBe('');
    expect(run.exitCode).toBe(0);
    expect(run.calls.find(call => call.startsWith('codebuild start-build'))).toContain(
      '--project-name storefront-build --source-version c0ffee',
    );
    expect(await run.written('imagedefinitions.json')).toEqual([
      { name: 'app', imageUri: `registry/storefront@${DIGEST}` },
    ]);
  });
});

test('a build whose push lost to a replica’s is none the worse: the replica is taken', async () => {
  const answers = {
    ...BUILT,
    'codebuild batch-get-builds': ['FAILED'],
    'ecr describe-images': [NONE, DIGEST],
  };
  await found(answers, run => {
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain("another region's image");
  });
});

test('a build that failed without one fails, and says where to look', async () => {
  const answers = {
    ...BUILT,
    'codebuild batch-get-builds': ['IN_PROGRESS', 'FAILED'],
    'ecr describe-images': [NONE],
  };
  await found(answers, run => {
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('/aws/codebuild/storefront-build');
  });
});

test('what the registry refuses is told', async () => {
  const refused: Answer = { fails: 'An error occurred (AccessDeniedException)' };
  await found({ ...BUILT, 'ecr describe-images': [refused] }, run => {
    expect(run.stderr).toContain('AccessDeniedException');
  });
});

const BUILT: Answers = {
  'codebuild start-build': ['storefront-build:1'],
  'codebuild batch-get-builds': ['IN_PROGRESS', 'SUCCEEDED', 'arn:aws:s3:::artifacts/builds/1/build'],
};

async function found(answers: Answers, examine: (run: ScriptRun) => void | Promise<void>): Promise<void> {
  const isWaiting = answers['ecr describe-images']!.length > 2;
  await runScript(
    imageBuildspec(),
    {
      environment: {
        COMMIT: 'c0ffee',
        CONTAINER_NAME: 'app',
        REPOSITORY_NAME: 'storefront',
        SIGNATURES: '',
        SIGNING_KEY: '',
        IMAGE_PROJECT: 'storefront-image',
        REPOSITORY_URI: 'registry/storefront',
        BUILD_PROJECT: 'storefront-build',
        WAIT_MINUTES: isWaiting ? '10' : '0',
      },
      answers,
      // What the copy from S3 would bring.
      files: { 'built.json': JSON.stringify([{ name: 'app', imageUri: 'registry/storefront:c0ffee' }]) },
    },
    examine,
  );
}
