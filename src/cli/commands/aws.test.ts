import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TandemError } from '../../core/error.ts';
import type { Instant } from '../../core/instant.ts';
import type {
  ForeignReplication,
  InfrastructureStack,
  NameReport,
  PlannedChange,
  QuotaReport,
  StackOutcome,
  StackPlan,
  WorkFolder,
} from '../../model/infrastructure.ts';
import type { AwsOperations } from '../aws-operations.ts';
import type { CostPort } from '../cost-port.ts';
import { MINUTE_MS } from '../../core/duration.ts';
import { NOW } from '../testing/fixtures.ts';
import { runCli, type CommandRun, type RunOptions } from '../testing/command-run.ts';

const NOTHING_FOREIGN: ForeignReplication = { rules: [], unseen: [] };

let workingFolder: string;
let calls: string[];
beforeEach(async () => {
  workingFolder = await mkdtemp(join(tmpdir(), 'tandem-aws-'));
  await writeFile(join(workingFolder, 'tandem.config.ts'), "export default { application: 'shop' };\n");
  calls = [];
});
afterEach(() => rm(workingFolder, { recursive: true, force: true }));

describe('plan', () => {
  test('shows what is lost first, then what changes, then what is added', async () => {
    const run = await runAws(['plan'], {
      plans: [planOf('us-east-1', CHANGES), planOf('us-west-2', [CHANGES[2]!])],
    });
    expect(run.stdout).toBe(
      `1 TO BE REPLACED: deleted, and made anew
  aws_ecs_cluster.cluster  us-east-1
      name  "a" → "b"  cannot be changed in place

1 TO BE DELETED
  aws_s3_bucket.old  us-east-1  no longer in the configuration

2 to change
  aws_lb.production  us-east-1, us-west-2
      idle_timeout  60 → 120

1 to add
  aws_vpc.network  us-east-1

           add  change  replace  delete
us-east-1    1       1        1       1
us-west-2    0       1        0       0

cost  200.00 → 243.10 USD a month
time  about 6 min
`,
    );
    expect(run.stderr).toBe('account 123456789012, as user/ada\n');
    expect(run.exitCode).toBe(0);
    expect(calls).toEqual(['plan normal us-east-1 us-west-2', 'close']);
  });

  test('says so where nothing is due', async () => {
    const run = await runAws(['plan'], { plans: [planOf('us-east-1', []), planOf('us-west-2', [])] });
    expect(run.stdout).toBe('nothing to change: everything is as the configuration says\n');
  });

  test('never says that nothing is due of what it could not see', async () => {
    const missing = new TandemError('STATE_BUCKET_MISSING', 'there is no bucket yet');
    const one = await runAws(['plan'], {
      plans: [planOf('us-east-1', [])],
      unplannable: { 'us-west-2': missing },
    });
    expect(one.stdout).toBe('nothing to change in us-east-1\nnot planned, so unknown: us-west-2\n');
    expect(one.exitCode).toBe(1);
    const none = await runAws(['plan'], {
      plans: [],
      unplannable: { 'us-east-1': missing, 'us-west-2': missing },
    });
    expect(none.stdout).toBe('no stack could be planned\n');
    const some = await runAws(['plan'], {
      plans: [planOf('us-east-1', [CHANGES[3]!])],
      unplannable: { 'us-west-2': missing },
    });
    expect(some.stdout).toContain('not planned, and so not in here: us-west-2\n');
  });

  test('in another account than the configuration’s asks nothing more', async () => {
    await writeFile(
      join(workingFolder, 'tandem.config.ts'),
      "export default { application: 'shop', aws: { accountId: '999999999999' } };\n",
    );
    const run = await runAws(['plan'], { plans: [] });
    expect(run.stderr).toBe(
      'error[ACCOUNT_MISMATCH]: the configuration belongs in account 999999999999, and these credentials are of ' +
        '123456789012 (arn:aws:iam::123456789012:user/ada): set AWS_PROFILE to a profile of that account, or mend aws.accountId\n',
    );
    expect(run.exitCode).toBe(2);
    expect(calls).toEqual([]);
  });
});

describe('where the registry replicates for others too', () => {
  const foreign: ForeignReplication = {
    rules: [
      {
        region: 'us-east-1',
        filters: ['billing-'],
        destinations: [{ region: 'us-west-2', registryId: '123456789012' }],
      },
    ],
    unseen: [{ region: 'us-west-2', reason: 'no answer' }],
  };

  test.each(['plan', 'deploy'])('%s begins nothing, and names the rules and the mend', async command => {
    const run = await runAws([command], { plans: [], foreign });
    expect(run.stderr).toContain('note: what else the registry of us-west-2 replicates is not known');
    expect(run.stderr).toContain('error[REPLICATION_FOREIGN]');
    expect(run.stderr).toContain('  us-east-1: billing-* to us-west-2 of 123456789012\n');
    expect(run.exitCode).toBe(2);
    expect(calls).toEqual([]);
  });

  test('nothing is asked where another application is in charge of it', async () => {
    await writeFile(
      join(workingFolder, 'external.ts'),
      "export default { application: 'shop', registry: { replication: 'external' } };\n",
    );
    const run = await runAws(['plan', '--config', 'external.ts'], {
      plans: [planOf('us-east-1', []), planOf('us-west-2', [])],
      foreign,
    });
    expect(run.exitCode).toBe(0);
  });
});

describe('deploy', () => {
  test('shows the plan, asks, applies, and ends with the addresses', async () => {
    const run = await runAws(['deploy'], {
      plans: [planOf('us-east-1', [CHANGES[3]!]), planOf('us-west-2', [])],
      isTerminal: true,
      environment: { NO_COLOR: '1' },
      answers: ['y'],
    });
    expect(run.stdout).toBe(
      'us-east-1  production      http://production.us-east-1\n           git repository  https://git.us-east-1\n' +
        'us-west-2  production      http://production.us-west-2\n           git repository  https://git.us-west-2\n',
    );
    expect(run.stderr).toContain('Apply this? [y/N] ');
    expect(run.exitCode).toBe(0);
    expect(calls).toEqual([
      'plan normal us-east-1 us-west-2',
      'apply us-east-1 us-west-2',
      'keep us-east-1',
      'keep us-west-2',
      'close',
    ]);
  });

  test('makes nothing where a quota would not suffice in some region, and says how it is raised', async () => {
    const eip = { name: 'Elastic IP addresses', serviceCode: 'ec2', quotaCode: 'L-0263D0A3', limit: 5 };
    const cpus = { name: 'Fargate On-Demand virtual CPUs', serviceCode: 'fargate', quotaCode: 'L-3032A538' };
    const run = await runAws(['deploy', '--yes'], {
      plans: [planOf('us-east-1', [CHANGES[3]!]), planOf('us-west-2', [CHANGES[3]!])],
      quotas: {
        uses: [
          { ...eip, region: 'us-east-1', adds: 2, inUse: 4 },
          { ...eip, region: 'us-west-2', adds: 1, inUse: 4 },
          { ...cpus, region: 'us-east-1', adds: 1.5, own: 0.5, inUse: 5, limit: 6 },
          {
            ...eip,
            name: 'NAT gateways of a zone',
            region: 'us-west-2',
            zone: 'us-west-2a',
            adds: 1,
            inUse: 5,
          },
        ],
        unseen: [{ region: 'us-west-2', reason: 'VPCs: not authorized' }],
      },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(
      'note: whether a quota of us-west-2 suffices is not known: VPCs: not authorized\n',
    );
    expect(run.stderr).toContain('error[QUOTA_EXCEEDED]');
    expect(run.stderr).toContain(
      'us-east-1: Elastic IP addresses (L-0263D0A3): 4 in use and 2 to be made, of 5',
    );
    expect(run.stderr).toContain(
      'us-east-1: Fargate On-Demand virtual CPUs (L-3032A538): 5 in use (0.5 of it by the application itself) ' +
        'and 1.5 more at the height of a deployment, of 6',
    );
    expect(run.stderr).toContain('us-west-2a: NAT gateways of a zone (L-0263D0A3): 5 in use');
    expect(run.stderr).toContain(
      'aws service-quotas request-service-quota-increase --region us-east-1 --service-code ec2 --quota-code L-0263D0A3 --desired-value 6',
    );
    expect(run.stderr).toContain(
      '--region us-east-1 --service-code fargate --quota-code L-3032A538 --desired-value 7',
    );
    expect(run.stderr).not.toContain('us-west-2: Elastic');
    expect(calls).toEqual(['plan normal us-east-1 us-west-2', 'close']);
  });

  test('says where a quota suffices for now, and not for what autoscaling may do or another region’s load', async () => {
    const cpus = { name: 'Fargate On-Demand virtual CPUs', serviceCode: 'fargate', quotaCode: 'L-3032A538' };
    const use = { ...cpus, adds: 2, own: 0, inUse: 5, limit: 10 };
    const run = await runAws(['deploy', '--yes'], {
      plans: [planOf('us-east-1', [CHANGES[3]!]), planOf('us-west-2', [CHANGES[3]!])],
      quotas: {
        uses: [
          { ...use, region: 'us-east-1', mayAdd: 5 },
          { ...use, region: 'us-west-2', mayAdd: 7.5 },
        ],
        unseen: [],
      },
    });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain(
      'note: us-west-2: Fargate On-Demand virtual CPUs (L-3032A538): autoscaling at its maximum, as when this region takes ' +
        'over from another, needs 12.5 of 10: aws service-quotas request-service-quota-increase --region us-west-2 ' +
        '--service-code fargate --quota-code L-3032A538 --desired-value 13\n',
    );
    expect(run.stderr).not.toContain('note: us-east-1');
    expect(calls).toContain('apply us-east-1 us-west-2');
  });

  test('is not kept from what adds nothing by a quota that is exceeded already', async () => {
    const run = await runAws(['deploy', '--yes'], {
      plans: [planOf('us-east-1', [CHANGES[3]!])],
      quotas: {
        uses: [
          {
            region: 'us-east-1',
            name: 'Fargate Spot virtual CPUs',
            serviceCode: 'fargate',
            quotaCode: 'L-36FBB829',
            adds: 0,
            mayAdd: 1,
            inUse: 12,
            limit: 10,
          },
        ],
        unseen: [],
      },
    });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('needs 13 of 10');
  });

  test('makes nothing where something has a name already, and says how it is deleted or imported', async () => {
    const run = await runAws(['deploy', '--yes'], {
      plans: [planOf('us-east-1', [CHANGES[3]!]), { ...planOf('us-west-2', []), isDeferred: true }],
      names: {
        clashes: [
          {
            stack: 'us-east-1',
            region: 'us-east-1',
            title: 'ECR repository',
            name: 'shop',
            address: 'aws_ecr_repository.images_repository',
            command: [
              'aws',
              'ecr',
              'delete-repository',
              '--repository-name',
              'shop',
              '--region',
              'us-east-1',
            ],
            importId: 'shop',
          },
          {
            stack: 'us-east-1',
            region: 'us-west-2',
            title: 'secret',
            name: 'shop/KEY',
            address: 'aws_secretsmanager_secret.key',
            state: 'waits for its deletion',
            command: ['aws', 'secretsmanager', 'restore-secret', '--secret-id', 'shop/KEY'],
          },
          {
            stack: 'us-west-2',
            region: 'us-west-2',
            title: 'ECS cluster',
            name: 'shop-production',
            address: 'aws_ecs_cluster.cluster',
            command: ['aws', 'ecs', 'delete-cluster', '--cluster', 'shop-production'],
            importId: 'shop-production',
          },
        ],
        unseen: [{ region: 'us-west-2', reason: 'IAM role: not authorized' }],
      },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(
      'note: whether a name is free in us-west-2 is not known: IAM role: not authorized\n',
    );
    expect(run.stderr).toContain('error[NAME_TAKEN]');
    expect(run.stderr).toContain('another name (`application` or `aws.namePrefix`)');
    expect(run.stderr).toContain(
      `  us-east-1: ECR repository shop
    aws ecr delete-repository --repository-name shop --region us-east-1
    terraform -chdir=us-east-1 import aws_ecr_repository.images_repository shop
  us-west-2: secret shop/KEY (waits for its deletion)
    aws secretsmanager restore-secret --secret-id shop/KEY
  us-west-2: ECS cluster shop-production
    aws ecs delete-cluster --cluster shop-production
    nothing can be imported into us-west-2 before what it stands on is made
`,
    );
    expect(calls).toEqual(['plan normal us-east-1 us-west-2', 'close']);
  });

  test('shows some of many names, and tells programs all', async () => {
    const clashes = Array.from({ length: 23 }, (_, index) => ({
      stack: 'us-east-1',
      region: 'us-east-1',
      title: 'alarm',
      name: `shop ${index}`,
      address: `aws_cloudwatch_metric_alarm.a${index}`,
      command: ['aws', 'cloudwatch', 'delete-alarms', '--alarm-names', `shop ${index}`],
      importId: `shop ${index}`,
    }));
    const plans = [planOf('us-east-1', [CHANGES[3]!])];
    const names = { clashes, unseen: [] };
    const run = await runAws(['deploy', '--yes'], { plans, names });
    expect(run.stderr).toContain("delete-alarms --alarm-names 'shop 19'\n");
    expect(run.stderr).not.toContain('shop 20');
    expect(run.stderr).toContain('  and 3 more, which --json tells\n');
    const { stdout } = await runAws(['deploy', '--yes', '--json'], { plans, names });
    const told = JSON.parse(stdout) as { error: { data: { clashes: object[] } } };
    expect(told.error.data.clashes).toHaveLength(23);
  });

  test('makes nothing with credentials that end before it would', async () => {
    const plans = [planOf('us-east-1', [CHANGES[3]!])];
    const inMinutes = (minutes: number) => NOW + minutes * MINUTE_MS;
    const early = await runAws(['deploy', '--yes'], { plans, expiresAt: inMinutes(5) });
    expect(early.stderr).toContain('error[CREDENTIALS_EXPIRING]');
    expect(calls).toEqual(['plan normal us-east-1 us-west-2', 'close']);
    expect((await runAws(['deploy', '--yes'], { plans, expiresAt: inMinutes(60) })).exitCode).toBe(0);
  });

  test('applies nothing without a yes', async () => {
    const plans = [planOf('us-east-1', [CHANGES[3]!])];
    expect((await runAws(['deploy'], { plans })).stderr).toContain('error[CONFIRMATION_MISSING]');
    const asked = await runAws(['deploy'], { plans, isTerminal: true, answers: ['no'] });
    expect(asked.exitCode).toBe(2);
    expect(calls.filter(call => call.startsWith('apply'))).toEqual([]);
  });

  test('leaves the regions that are done as they are when one fails, and says how to go on', async () => {
    const run = await runAws(['deploy', '--yes'], {
      plans: [planOf('us-east-1', [CHANGES[3]!]), planOf('us-west-2', [CHANGES[3]!])],
      failing: {
        'us-west-2': new TandemError('TERRAFORM_FAILED', 'us-west-2: terraform apply failed: no room'),
      },
    });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('http://production.us-east-1');
    expect(run.stderr.split('time  about 6 min\n')[1]).toBe(
      'error[TERRAFORM_FAILED]: us-west-2: terraform apply failed: no room\n\n' +
        '1 of 2 stacks are done and stay. To go on once it is mended:\n  tandem deploy --region us-west-2\n',
    );
  });

  test('goes by the chosen region', async () => {
    await runAws(['deploy', '--yes', '--region', 'us-west-2'], { plans: [planOf('us-west-2', [])] });
    expect(calls[0]).toBe('plan normal us-west-2');
  });
});

describe('destroy on AWS', () => {
  const gone = [planOf('us-east-1', [DELETED()]), planOf('us-west-2', [])];

  test('shows what goes for good, wants the name, and proves that nothing is left', async () => {
    const run = await runAws(['destroy', '--target', 'aws'], {
      plans: gone,
      isTerminal: true,
      environment: { NO_COLOR: '1' },
      answers: ['shop'],
    });
    expect(run.stderr).toContain(
      `TO BE DELETED: shop on AWS
  us-east-1  1 resources

and with them, for good:
  shop-artifacts  bucket, with all its objects and versions  us-east-1

time  about 6 min

Type shop to delete all this: `,
    );
    expect(run.stdout).toBe('deleted: AWS knows nothing of it any more, in any region\n');
    expect(run.exitCode).toBe(0);
    expect(calls).toEqual([
      'plan destroy us-east-1 us-west-2',
      'prepare us-east-1',
      'destroy us-east-1',
      'byproducts us-east-1',
      'byproducts us-west-2',
      'state bucket us-east-1',
      'state bucket us-west-2',
      'inventory',
      'close',
    ]);
  });

  test('does nothing when another name is typed', async () => {
    const run = await runAws(['destroy', '--target', 'aws'], {
      plans: gone,
      isTerminal: true,
      answers: ['shp'],
    });
    expect(run.exitCode).toBe(2);
    expect(calls).toEqual(['plan destroy us-east-1 us-west-2', 'close']);
  });

  test('keeps the states of a region that stands, and names what is left with its price and its mend', async () => {
    const run = await runAws(['destroy', '--target', 'aws', '--yes'], {
      plans: gone,
      failing: {
        'us-east-1': new TandemError('TERRAFORM_FAILED', 'us-east-1: terraform destroy failed: in use'),
      },
      leftovers: [
        {
          arn: 'arn:aws:ec2:us-east-1:123456789012:natgateway/nat-1',
          region: 'us-east-1',
          type: 'aws_nat_gateway',
          mend: 'aws ec2 delete-nat-gateway --nat-gateway-id nat-1 --region us-east-1',
        },
      ],
    });
    expect(run.exitCode).toBe(1);
    expect(calls).not.toContain('state bucket us-east-1');
    expect(run.stdout).toBe(
      '1 thing is left on AWS:\n  us-east-1  ec2 natgateway/nat-1  243.10 USD a month\n' +
        '    aws ec2 delete-nat-gateway --nat-gateway-id nat-1 --region us-east-1\n',
    );
    expect(run.stderr).toContain('  tandem destroy --target aws --region us-east-1\n');
  });
});

const CHANGES: PlannedChange[] = [
  {
    address: 'aws_ecs_cluster.cluster',
    type: 'aws_ecs_cluster',
    action: 'replace',
    attributes: [{ path: 'name', before: '"a"', after: '"b"', forcesReplacement: true }],
  },
  {
    address: 'aws_s3_bucket.old',
    type: 'aws_s3_bucket',
    action: 'delete',
    reason: 'delete_because_no_resource_config',
    attributes: [],
  },
  {
    address: 'aws_lb.production',
    type: 'aws_lb',
    action: 'update',
    attributes: [{ path: 'idle_timeout', before: '60', after: '120', forcesReplacement: false }],
  },
  { address: 'aws_vpc.network', type: 'aws_vpc', action: 'create', attributes: [] },
];

function DELETED(): PlannedChange {
  return { address: 'aws_s3_bucket.artifacts', type: 'aws_s3_bucket', action: 'delete', attributes: [] };
}

function planOf(stack: string, changes: PlannedChange[]): StackPlan {
  return {
    stack,
    region: stack,
    changes,
    drift: [],
    existing: changes.some(({ address }) => address === 'aws_s3_bucket.artifacts')
      ? [{ address: 'aws_s3_bucket.artifacts', type: 'aws_s3_bucket', values: { bucket: 'shop-artifacts' } }]
      : [],
    document: {},
    isDeferred: false,
    durationMs: 330_000,
    isApplicable: changes.length > 0,
  };
}

interface AwsRun extends RunOptions {
  plans: StackPlan[];
  failing?: Record<string, TandemError>;
  /** Stacks that cannot be planned. */
  unplannable?: Record<string, TandemError>;
  foreign?: ForeignReplication;
  leftovers?: Awaited<ReturnType<AwsOperations['takeInventory']>>['leftovers'];
  quotas?: QuotaReport;
  names?: NameReport;
  /** Of the credentials. */
  expiresAt?: Instant;
}

function runAws(
  argv: readonly string[],
  {
    plans,
    failing = {},
    unplannable = {},
    leftovers = [],
    foreign = NOTHING_FOREIGN,
    quotas = { uses: [], unseen: [] },
    names = { clashes: [], unseen: [] },
    expiresAt,
    ...options
  }: AwsRun,
): Promise<CommandRun> {
  const stacks = ['us-east-1', 'us-west-2'].map((name): InfrastructureStack => ({
    name,
    region: name,
    document: {},
  }));
  const namesOf = (list: readonly InfrastructureStack[]) => list.map(({ name }) => name).join(' ');
  const work: WorkFolder = {
    program: { name: 'terraform', version: '1.11.4' },
    folderOf: ({ name }) => name,
    async plan(list, mode) {
      calls.push(`plan ${mode} ${namesOf(list)}`);
      return list.flatMap((stack): StackOutcome<StackPlan>[] => {
        const error = unplannable[stack.name];
        if (error) return [{ stack, state: 'failed', error }];
        const plan = plans.find(other => other.stack === stack.name);
        return plan ? [{ stack, state: 'done', value: plan }] : [];
      });
    },
    async apply(list, operation) {
      calls.push(`${operation} ${namesOf(list)}`);
      return list.map((stack): StackOutcome<Record<string, unknown>> => {
        const error = failing[stack.name];
        if (error) return { stack, state: 'failed', error };
        const value = {
          production_url: `http://production.${stack.name}`,
          git_repository_url: `https://git.${stack.name}`,
          pipeline: 'shop',
        };
        return { stack, state: 'done', value };
      });
    },
    close: async () => void calls.push('close'),
  };
  const aws: AwsOperations = {
    identify: async () => ({
      accountId: '123456789012',
      arn: 'arn:aws:iam::123456789012:user/ada',
      ...(expiresAt !== undefined && { expiresAt }),
    }),
    stacks: async () => stacks,
    ensureStateBucket: () => Promise.reject(new Error('not expected')),
    cloud: () => Promise.reject(new Error('not expected')),
    readStateLock: () => Promise.reject(new Error('not expected')),
    removeStateLock: () => Promise.reject(new Error('not expected')),
    prepareForDeletion: async ({ stack }) => void calls.push(`prepare ${stack}`),
    async deleteByproducts(_config, region) {
      calls.push(`byproducts ${region}`);
      return [];
    },
    async removeStateBucket([stack]) {
      calls.push(`state bucket ${stack!.name}`);
      return { bucket: `shop-state-${stack!.name}`, others: [] };
    },
    async takeInventory() {
      calls.push('inventory');
      return { leftovers, unseen: [] };
    },
    observeRegion: () => Promise.reject(new Error('not expected')),
    foreignReplication: async () => foreign,
    quotaUse: async () => quotas,
    nameClashes: async () => names,
    keepDeployed: async ({ name }) => void calls.push(`keep ${name}`),
    openWorkFolder: async () => work,
  };
  const cost: CostPort = {
    report: () => Promise.reject(new Error('not expected')),
    change: async () => ({ currency: 'USD', before: 200, after: 243.1, resources: [], notCovered: [] }),
  };
  return runCli(argv, { workingFolder, aws, cost, ...options });
}
