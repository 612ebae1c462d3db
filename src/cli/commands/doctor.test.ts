import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TandemError } from '../../core/error.ts';
import type { RegionObservation } from '../../model/diagnosis.ts';
import type { CostPort } from '../cost-port.ts';
import { cloudDouble, type CloudDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli, unexpectedAws } from '../testing/command-run.ts';
import { executionOf, NOW, serviceOf, stagesAt } from '../testing/fixtures.ts';

let workingFolder: string;
let cloud: CloudDouble;

beforeEach(async () => {
  cloud = cloudDouble();
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-doctor-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'storefront' };\n");
});

afterEach(async () => {
  await rm(workingFolder, { recursive: true });
});

test('says so when nothing is wrong', async () => {
  const run = await runCli(['doctor'], { workingFolder, cloud });
  expect(run).toEqual({
    exitCode: 0,
    stdout: '✓ us-east-1: nothing is wrong\n✓ us-west-2: nothing is wrong\n',
    stderr: '',
  });
});

test('finds in one region what is wrong, why, and what mends it', async () => {
  cloud.east.services = [serviceOf('production', { running: 0, healthyTargets: 0 }), serviceOf('staging')];
  cloud.east.tell('production: task 1 stopped', {
    type: 'TaskStopped',
    at: NOW - 60_000,
    data: {
      service: 'production',
      taskId: '1',
      stoppedReason: 'CannotPullContainerError: the image is not found',
    },
  });
  cloud.east.held = [
    executionOf({
      status: 'Failed',
      stage: 'Build',
      stages: stagesAt('Build', 'Failed'),
      cause: 'npm test: exit 1',
    }),
  ];
  const run = await runCli(['doctor', '--region', 'us-east-1'], { workingFolder, cloud });
  expect(run.exitCode).toBe(1);
  expect(linesOf(run.stdout)).toEqual([
    '✗ us-east-1 production: the application cannot be reached: no image for its tasks',
    '    targets  0 of 2 healthy',
    '    tasks    0 of 2 running, 1 ended in the last hour, the newest: CannotPullContainerError: the image is not found',
    '    mend     see the finding about the image',
    '✗ us-east-1 production: tasks cannot start: the image is not in the registry',
    '    stopped tasks  1 in the last hour',
    '    newest         CannotPullContainerError: the image is not found',
    '    mend           push the commit again, or go back to a release that has its image: `tandem rollback`',
    '✗ us-east-1 build #1: the newest build failed: npm test: exit 1',
    '    mend  mend what the log names (`tandem logs build`), and push; `tandem retry` if it was chance',
  ]);
});

describe('on AWS', () => {
  const stacks = ['us-east-1', 'us-west-2'].map(name => ({ name, region: name, document: {} }));
  const cost: CostPort = {
    report: async () => ({
      estimate: { currency: 'USD', total: 0, lines: [], prices: [], substituted: [], notCovered: [] },
      levers: [],
    }),
    change: () => Promise.reject(new Error('not expected')),
  };
  const observed = (region: string, unseen: RegionObservation['unseen'] = []) => ({
    region,
    at: NOW,
    services: [],
    replication: [],
    unseen,
  });

  test('a region that does not answer hides neither the other nor whose credentials these are', async () => {
    const asked: string[] = [];
    const run = await runCli(['doctor', '--target', 'aws', '--json'], {
      workingFolder,
      cost,
      aws: {
        ...unexpectedAws,
        async identify(region) {
          asked.push(region);
          if (region === 'us-east-1') throw new TandemError('AWS_UNREACHABLE', 'us-east-1 does not answer');
          return { accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/ada' };
        },
        stacks: async () => stacks,
        async readStateLock({ region }) {
          if (region === 'us-east-1') throw new TandemError('AWS_CALL_FAILED', 'us-east-1 does not answer');
          const created = '2026-11-23T00:00:00Z';
          return { id: '1', operation: 'OperationTypeApply', who: 'ada@laptop', created, path: '' };
        },
        observeRegion: async (_config, region) =>
          observed(
            region,
            region === 'us-east-1' ? [{ what: 'builds', reason: 'us-east-1 does not answer' }] : [],
          ),
      },
    });
    expect(asked).toEqual(['us-east-1', 'us-west-2']);
    expect(run.exitCode).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      regions: [
        {
          region: 'us-east-1',
          findings: [],
          unseen: [{ what: 'builds' }, { what: 'the lock of us-east-1' }],
        },
        { region: 'us-west-2', findings: [{ case: 'state-lock', subject: 'us-west-2' }], unseen: [] },
      ],
    });
  });
});

test('does not call well what it could not see', async () => {
  cloud.west.isUnreachable = true;
  const run = await runCli(['doctor', '--json'], { workingFolder, cloud });
  expect(run.exitCode).toBe(6);
  expect(JSON.parse(run.stdout)).toEqual({
    regions: [
      { region: 'us-east-1', findings: [], unseen: [] },
      {
        region: 'us-west-2',
        findings: [],
        unseen: [{ what: 'the region', reason: 'us-west-2 does not answer' }],
      },
    ],
  });
});
