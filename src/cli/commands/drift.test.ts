import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TandemError } from '../../core/error.ts';
import type { InfrastructureStack, StackOutcome, StackPlan } from '../../model/infrastructure.ts';
import type { AwsOperations } from '../aws-operations.ts';
import { linesOf, runCli } from '../testing/command-run.ts';

let workingFolder: string;

beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-drift-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'storefront' };\n");
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

const stacks: InfrastructureStack[] = ['us-east-1', 'us-east-1-production', 'us-west-2'].map(name => ({
  name,
  region: name.slice(0, 9),
  document: {},
}));

const scaled = {
  address: 'aws_ecs_service.service',
  type: 'aws_ecs_service',
  action: 'update' as const,
  attributes: [{ path: 'desired_count', before: '2', after: '5', forcesReplacement: false }],
};
const opened = {
  address: 'aws_lb.balancer',
  type: 'aws_lb',
  action: 'update' as const,
  attributes: [{ path: 'idle_timeout', before: '60', after: '4000', forcesReplacement: false }],
};
const gone = { address: 'aws_eip.nat', type: 'aws_eip', action: 'delete' as const, attributes: [] };

test('nothing has drifted where only the autoscaler was at work', async () => {
  const run = await drift({ 'us-east-1': [], 'us-east-1-production': [scaled], 'us-west-2': [] });
  expect(run).toMatchObject({ exitCode: 0 });
  expect(linesOf(run.stdout)).toEqual([
    '✓ us-east-1: as it was deployed',
    '✓ us-east-1-production: as it was deployed',
    '✓ us-west-2: as it was deployed',
  ]);
});

test('what somebody changed or deleted is shown, with an exit code of its own', async () => {
  const run = await drift({
    'us-east-1': [gone],
    'us-east-1-production': [scaled, opened],
    'us-west-2': undefined,
  });
  expect(run).toMatchObject({ exitCode: 5 });
  expect(linesOf(run.stdout)).toEqual([
    '✗ us-east-1: 1 changed outside Terraform',
    '    aws_eip.nat: gone',
    '✗ us-east-1-production: 1 changed outside Terraform',
    '    aws_lb.balancer',
    '        idle_timeout  60 → 4000',
    '– us-west-2: not deployed',
  ]);
});

test('a stack that cannot be compared is a failure, and hides no drift of the others', async () => {
  const failure = new TandemError('TERRAFORM_FAILED', 'us-west-2: no answer');
  const run = await drift(
    { 'us-east-1': [gone], 'us-east-1-production': [], 'us-west-2': failure },
    '--json',
  );
  expect(run).toMatchObject({ exitCode: 1 });
  expect(JSON.parse(run.stdout)).toMatchObject({
    stacks: [
      { stack: 'us-east-1', isDeployed: true, changes: [{ address: 'aws_eip.nat', action: 'delete' }] },
      { stack: 'us-east-1-production', changes: [] },
      { stack: 'us-west-2', error: { code: 'TERRAFORM_FAILED' } },
    ],
  });
});

type Found = Record<string, StackPlan['drift'] | Error | undefined>;

function drift(found: Found, ...argv: string[]) {
  const plan = async (given: readonly InfrastructureStack[], mode: string) => {
    expect(mode).toBe('normal');
    return given.map((stack): StackOutcome<StackPlan> => {
      const seen = found[stack.name];
      return seen instanceof Error
        ? { stack, state: 'failed', error: seen }
        : { stack, state: 'done', value: planOf(stack, seen) };
    });
  };
  const aws: Partial<AwsOperations> = {
    identify: async () => ({ accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/ada' }),
    stacks: async () => stacks,
    openWorkFolder: async () => ({
      program: { name: 'terraform', version: '1.11.4' },
      folderOf: ({ name }) => name,
      plan,
      apply: () => Promise.reject(new Error('nothing is to be applied')),
      close: async () => undefined,
    }),
  };
  return runCli(['drift', ...argv], { workingFolder, aws: aws as AwsOperations });
}

function planOf({ name, region }: InfrastructureStack, seen: StackPlan['drift'] | undefined): StackPlan {
  const existing = { address: 'aws_vpc.main', type: 'aws_vpc', values: {} };
  return {
    stack: name,
    region,
    // What the autoscaler did is ignored: nothing would put it back.
    changes: (seen ?? []).filter(change => change !== scaled),
    drift: seen ?? [],
    existing: seen === undefined ? [] : [existing],
    document: {},
    isDeferred: false,
    durationMs: 0,
    isApplicable: false,
  };
}
