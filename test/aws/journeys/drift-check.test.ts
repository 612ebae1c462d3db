import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CloudWatchLogsClient, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateTopicCommand,
  GetTopicAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AwsSession } from '../../../src/aws/operate/aws-session.ts';
import { keepDeployed } from '../../../src/aws/operate/deployed-documents.ts';
import {
  driftCheckBuildspec,
  TERRAFORM_SHA256,
} from '../../../src/aws/terraform/modules/drift-check-buildspec.ts';
import { bundleDriftJudge } from '../../../src/function-archives.ts';
import { findProgram, runCommand } from '../../../src/platform/process.ts';
import { sha256 } from '../../../src/platform/hash.ts';
import { startMoto, type Moto } from '../moto.ts';
import { findTools, isOnPath } from '../terraform.ts';

/*
 * The scheduled check itself, in Bash, with real Terraform, the real AWS CLI and moto; only the download is played. What
 * `tandem deploy` leaves for it is left by the same code.
 */

const STACK = 'us-east-1';
const ACCOUNT = '123456789012';
const STATES = 'shop-state';
const DEPLOYER = `arn:aws:iam::${ACCOUNT}:role/deployer`;

const tools = findTools();
const terraform = findProgram('terraform');
const missing = await whatIsMissing();
if (missing !== undefined) console.log(`The drift check is not run: ${missing}`);

async function whatIsMissing(): Promise<string | undefined> {
  if ('missing' in tools) return tools.missing;
  const other = ['aws', 'jq', 'node'].find(program => !isOnPath(program));
  if (other !== undefined) return `${other} on PATH`;
  return sha256(await readFile(terraform!)) === TERRAFORM_SHA256
    ? undefined
    : 'the Terraform that the check pins, on PATH';
}

describe.skipIf(missing !== undefined)('the scheduled drift check', { timeout: 240_000 }, () => {
  const earlier = { ...process.env };
  let moto: Moto;
  let folder: string;
  let queueUrl: string;
  let topic: string;
  let judge: string;

  beforeAll(async () => {
    judge = await bundleDriftJudge();
  });
  beforeEach(async () => {
    moto = await startMoto();
    folder = await mkdtemp(join(tmpdir(), 'tandem-drift-'));
    const { pluginFolder } = tools as { pluginFolder: string };
    await writeFile(
      join(folder, 'terraform.rc'),
      `provider_installation {\n  filesystem_mirror {\n    path = "${pluginFolder}"\n  }\n}\n`,
    );
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'),
    });
    await new S3Client({}).send(new CreateBucketCommand({ Bucket: STATES }));
    ({ TopicArn: topic = '' } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'people' })));
    ({ QueueUrl: queueUrl = '' } = await new SQSClient({}).send(
      new CreateQueueCommand({ QueueName: 'inbox' }),
    ));
    const inbox = `arn:aws:sqs:us-east-1:${ACCOUNT}:inbox`;
    await new SNSClient({}).send(
      new SubscribeCommand({
        TopicArn: topic,
        Protocol: 'sqs',
        Endpoint: inbox,
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
  }, 60_000);
  afterEach(async () => {
    await moto[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  afterAll(() => {
    process.env = earlier;
  });

  test('tells people of what was changed, and puts it back only where nothing else would change', async () => {
    await deploy(shop());
    await new CloudWatchLogsClient({}).send(
      new PutRetentionPolicyCommand({ logGroupName: 'shop', retentionInDays: 7 }),
    );
    // That is left to others.
    expect(await check()).toMatchObject({
      exitCode: 0,
      stdout: 'us-east-1: as it was deployed\nexported: none\n',
    });
    expect(await told()).toEqual([]);

    await rename('Changed by hand');
    const found = await check();
    expect(found).toMatchObject({ exitCode: 0, stderr: '' });
    expect(found.stdout).toMatch(/^exported: us-east-1$/m);
    const [message, ...others] = await told();
    expect(message!.split('\n')).toEqual([
      'us-east-1 is not as it was deployed:',
      '',
      '  aws_sns_topic.news',
      '    display_name: "News" -> "Changed by hand"',
      '',
      'Put it back: tandem deploy. Or write it into tandem.config.ts, if it is to stay.',
      '',
    ]);
    expect(others).toEqual([]);

    // As if something had been deployed half.
    await keep(shop({ topicName: 'renamed' }));
    expect(await check({ REAPPLY_ROLE: DEPLOYER })).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await told())[0]).toContain('It was not put back, since more than that would change');
    expect(await displayName()).toBe('Changed by hand');

    await keep(shop());
    expect(await check({ REAPPLY_ROLE: DEPLOYER })).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await told())[0]).toContain('It was put back.');
    expect(await displayName()).toBe('News');

    await hold();
    const { exitCode, stderr } = await check();
    expect(stderr).toContain('Error acquiring the state lock');
    expect(stderr).toContain('Not compared, or not put back: us-east-1');
    expect(exitCode).toBe(1);
    expect(await told()).toEqual([]);
  });

  test('takes a stack of which nothing was left for nothing but that', async () => {
    await new S3Client({}).send(
      new PutObjectCommand({ Bucket: STATES, Key: 'deployed/drift-check.mjs', Body: judge }),
    );
    const { exitCode, stderr } = await check();
    expect(stderr).toContain('us-east-1: tandem deploy has left nothing to compare with');
    expect(exitCode).toBe(1);
    expect(await told()).toEqual([]);
  });

  test('takes no Terraform but the one that it knows', async () => {
    const { exitCode, stderr } = await check({}, findProgram('bash'));
    expect(stderr).toContain('computed checksum did NOT match');
    expect(exitCode).not.toBe(0);
  });

  function shop({ topicName = 'news' } = {}): Record<string, unknown> {
    return {
      terraform: {
        required_providers: { aws: { source: 'hashicorp/aws', version: '5.100.0' } },
        backend: {
          s3: {
            bucket: STATES,
            key: `${STACK}.tfstate`,
            region: 'us-east-1',
            encrypt: true,
            use_lockfile: true,
          },
        },
      },
      provider: { aws: [{ region: 'us-east-1' }] },
      resource: {
        aws_sns_topic: { news: { name: topicName, display_name: 'News' } },
        aws_cloudwatch_log_group: {
          shop: { name: 'shop', retention_in_days: 30, lifecycle: { ignore_changes: ['retention_in_days'] } },
        },
      },
    };
  }

  async function deploy(document: Record<string, unknown>): Promise<void> {
    const root = join(folder, 'deployed');
    await mkdir(root);
    await writeFile(join(root, 'main.tf.json'), JSON.stringify(document));
    for (const argv of [['init'], ['apply', '-auto-approve']]) {
      const run = await runCommand(terraform!, [...argv, '-input=false', '-no-color'], { cwd: root });
      expect(run.exitCode, run.stderr + run.stdout).toBe(0);
    }
    await keep(document);
  }

  function keep(document: Record<string, unknown>): Promise<void> {
    const stack = { name: STACK, region: 'us-east-1' as const, document };
    return keepDeployed(new AwsSession('us-east-1'), stack, { accountId: ACCOUNT, judge });
  }

  async function hold(): Promise<void> {
    const held = {
      ID: '1',
      Operation: 'OperationTypeApply',
      Who: 'ada@laptop',
      Created: '2026-11-27T00:00:00Z',
    };
    await new S3Client({}).send(
      new PutObjectCommand({ Bucket: STATES, Key: `${STACK}.tfstate.tflock`, Body: JSON.stringify(held) }),
    );
  }

  async function rename(name: string): Promise<void> {
    await new SNSClient({}).send(
      new SetTopicAttributesCommand({
        TopicArn: newsArn(),
        AttributeName: 'DisplayName',
        AttributeValue: name,
      }),
    );
  }

  async function displayName(): Promise<string | undefined> {
    const { Attributes } = await new SNSClient({}).send(
      new GetTopicAttributesCommand({ TopicArn: newsArn() }),
    );
    return Attributes?.['DisplayName'];
  }

  function newsArn(): string {
    return `arn:aws:sns:us-east-1:${ACCOUNT}:news`;
  }

  /** What people were told since the last look. */
  async function told(): Promise<string[]> {
    const { Messages = [] } = await new SQSClient({}).send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    for (const { ReceiptHandle } of Messages) {
      await new SQSClient({}).send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
    return Messages.map(({ Body = '' }) => Body);
  }

  /** One build. What it downloads is the program given, packed in nothing. */
  async function check(variables: Record<string, string> = {}, program = terraform) {
    const build = await mkdtemp(join(folder, 'build-'));
    const [programs, work] = [join(build, 'programs'), join(build, 'work')];
    await mkdir(programs);
    await mkdir(work);
    for (const [name, script] of [
      ['curl', 'touch terraform.zip'],
      ['unzip', `cp ${program} terraform`],
    ] as const) {
      await writeFile(join(programs, name), `#!/usr/bin/env bash\n${script}\n`);
      await chmod(join(programs, name), 0o755);
    }
    const { phases } = JSON.parse(driftCheckBuildspec()) as {
      phases: { build: { commands: [script: string, exported: string] } };
    };
    const [script, exported] = phases.build.commands;
    const commands = `set -e\n${script}\n${exported}\necho "exported: $DRIFT"\n`;
    const child = spawn('bash', ['-c', commands], {
      cwd: work,
      env: {
        ...process.env,
        PATH: `${programs}${delimiter}${process.env['PATH']}`,
        STACKS: STACK,
        STATE_BUCKET: STATES,
        TOPIC: topic,
        LOCK_TIMEOUT: '0s',
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => (stdout += String(chunk)));
    child.stderr.on('data', chunk => (stderr += String(chunk)));
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    return { exitCode, stdout, stderr };
  }
});
