import { expect, test } from 'vitest';
import { configSchema, type ConfigInput } from '../../model/config/schema.ts';
import type { InfrastructureStack, StackOutcome, WorkFolder } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { unexpectedAws } from '../testing/command-run.ts';
import type { AwsApplication } from './application.ts';
import { keepDeployed } from './keep-deployed.ts';

const [EAST, WEST] = (['us-east-1', 'us-west-2'] as const).map((name): InfrastructureStack => ({
  name,
  region: name,
  document: {},
})) as [InfrastructureStack, InfrastructureStack];
const BOTH_APPLIED = [EAST, WEST].map((stack): StackOutcome<unknown> => ({
  stack,
  state: 'done',
  value: {},
}));

test('leaves what was applied, and nothing else', async () => {
  const { kept } = await keep({
    applied: [BOTH_APPLIED[0]!, { stack: WEST, state: 'failed', error: new Error('quota') }],
  });
  expect(kept).toEqual(['us-east-1']);
});

test('is a failure where it does not succeed, for the check would go by the deployment before', async () => {
  const { kept, notes, exitCode } = await keep({ unreachable: 'us-east-1' });
  expect(kept).toEqual(['us-west-2']);
  expect(notes).toEqual([
    'us-east-1 is applied, but the scheduled drift check goes on comparing with the deployment before: no answer. ' +
      'Say tandem deploy again',
  ]);
  expect(exitCode).toBe(1);
});

test.each<[string, Parameters<typeof keep>[0], number]>([
  ['there is no check', { config: { drift: { check: 'never' } } }, 0],
  ['states are files', { localState: true }, 0],
  ['the check could not read it', { program: 'tofu' }, 1],
])('leaves nothing where %s', async (_why, options, remarks) => {
  const { kept, notes, exitCode } = await keep(options);
  expect(kept).toEqual([]);
  expect(notes).toHaveLength(remarks);
  expect(exitCode).toBe(0);
});

async function keep({
  config = {},
  program = 'terraform',
  localState = false,
  applied = BOTH_APPLIED,
  unreachable = '',
}: {
  config?: Partial<ConfigInput>;
  program?: string;
  localState?: boolean;
  applied?: StackOutcome<unknown>[];
  unreachable?: string;
}) {
  const kept: string[] = [];
  const notes: string[] = [];
  const context = {
    note: (line: string) => notes.push(line),
    aws: {
      ...unexpectedAws,
      keepDeployed: async ({ name }: InfrastructureStack) => {
        if (name === unreachable) throw new Error('no answer');
        kept.push(name);
      },
    },
  } as unknown as CommandContext;
  const application = {
    config: configSchema.parse({ application: 'shop', ...config }),
    identity: { accountId: '123456789012', arn: '' },
    stacks: [EAST, WEST],
  } as AwsApplication;
  const work = { program: { name: program, version: '1.11.4' } } as WorkFolder;
  const exitCode = await keepDeployed(context, application, work, { localState }, applied);
  return { kept, notes, exitCode };
}
