import { AllocateAddressCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { GetServiceQuotaResponse } from '@aws-sdk/client-service-quotas';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAwsOperations } from '../../src/aws-operations.ts';
import { findProgram } from '../../src/platform/process.ts';
import { standBetween, type Between } from './answers-between.ts';
import { startMoto, type Moto } from './moto.ts';

/* What is in use, moto tells; what may be, it knows of few services, so that is answered as Service Quotas does. */

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The tests of quotas are skipped: there is no moto_server on PATH.');

const REGION = 'eu-west-1';

describe.skipIf(isMissing)('quotas', { timeout: 60_000 }, () => {
  const aws = createAwsOperations();
  const earlier = { ...process.env };
  let moto: Moto;
  let between: Between;

  beforeAll(async () => {
    moto = await startMoto();
    between = await standBetween(moto.endpoint);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: between.endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
    });
    const ec2 = new EC2Client({ region: REGION });
    await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    for (let made = 0; made < 3; made++) await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
  }, 60_000);

  beforeEach(() => between.reset());

  afterAll(async () => {
    process.env = earlier;
    await between[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
  });

  test('tell what is in use beside what may be, for the types that have one', async () => {
    between.answer('GetServiceQuota', {
      Quota: { QuotaCode: 'L-0263D0A3', ServiceCode: 'ec2', Value: 5 },
    } satisfies GetServiceQuotaResponse);
    const { uses, unseen } = await aws.quotaUse([
      { region: REGION, type: 'aws_eip', adds: 2 },
      { region: REGION, type: 'aws_vpc', adds: 1 },
      { region: REGION, type: 'aws_internet_gateway', adds: 1 },
      { region: REGION, type: 'aws_lb', adds: 2 },
      { region: REGION, type: 'aws_subnet', adds: 4 },
    ]);
    expect(unseen).toEqual([]);
    const inUse = Object.fromEntries(uses.map(use => [use.type, use.inUse]));
    // moto has a default network in every region, as AWS has.
    expect(inUse).toEqual({ aws_eip: 3, aws_vpc: 2, aws_internet_gateway: 0, aws_lb: 0 });
    expect(uses[0]).toEqual({
      region: REGION,
      type: 'aws_eip',
      adds: 2,
      name: 'Elastic IP addresses',
      serviceCode: 'ec2',
      quotaCode: 'L-0263D0A3',
      inUse: 3,
      limit: 5,
    });
  });

  test('that nobody ever raised are told as the default', async () => {
    const { uses } = await aws.quotaUse([{ region: REGION, type: 'aws_lb', adds: 2 }]);
    expect(uses).toMatchObject([{ type: 'aws_lb', inUse: 0, limit: 50 }]);
  });

  test('that may not be read, and regions that do not answer, hide no others', async () => {
    between.answer('GetServiceQuota', { Quota: { Value: 5 } } satisfies GetServiceQuotaResponse);
    between.refuse('DescribeLoadBalancers');
    const { uses, unseen } = await aws.quotaUse([
      { region: REGION, type: 'aws_lb', adds: 2 },
      { region: REGION, type: 'aws_vpc', adds: 1 },
    ]);
    expect(uses.map(({ type }) => type)).toEqual(['aws_vpc']);
    expect(unseen).toEqual([
      { region: REGION, reason: expect.stringMatching(/^application load balancers: .*not authorized/) },
    ]);
  });
});
