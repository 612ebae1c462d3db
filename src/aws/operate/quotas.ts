import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  EC2Client,
  paginateDescribeVpcs,
} from '@aws-sdk/client-ec2';
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { errorMessage } from '../../core/error.ts';
import type { QuotaDemand, QuotaReport, QuotaUse } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession, ClientSettings } from './aws-session.ts';

interface Quota {
  /** As people know it. */
  name: string;
  serviceCode: string;
  /** Service Quotas' own; the same in every account and region. */
  quotaCode: string;
  countInUse(settings: ClientSettings): Promise<number>;
}

/** What an account has least of, by Terraform's type. */
const QUOTAS: Readonly<Record<string, Quota>> = {
  aws_eip: {
    name: 'Elastic IP addresses',
    serviceCode: 'ec2',
    quotaCode: 'L-0263D0A3',
    countInUse: settings =>
      using(new EC2Client(settings), async ec2 => {
        const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
        return Addresses.length;
      }),
  },
  aws_vpc: {
    name: 'VPCs',
    serviceCode: 'vpc',
    quotaCode: 'L-F678F1CE',
    countInUse: settings =>
      using(new EC2Client(settings), async client => {
        let count = 0;
        for await (const { Vpcs = [] } of paginateDescribeVpcs({ client }, {})) count += Vpcs.length;
        return count;
      }),
  },
  aws_internet_gateway: {
    name: 'internet gateways',
    serviceCode: 'vpc',
    quotaCode: 'L-A4707A72',
    countInUse: settings =>
      using(new EC2Client(settings), async ec2 => {
        const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({}));
        return InternetGateways.length;
      }),
  },
  aws_lb: {
    name: 'application load balancers',
    serviceCode: 'elasticloadbalancing',
    quotaCode: 'L-53DA6B97',
    countInUse: settings =>
      using(new ElasticLoadBalancingV2Client(settings), async client => {
        let count = 0;
        for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client }, {})) {
          count += LoadBalancers.filter(({ Type }) => Type === 'application').length;
        }
        return count;
      }),
  },
};

/**
 * What an account has of the things that are to be made, and may have at most. What one of them does not tell, for lack of
 * permission or because a region does not answer, hides no other.
 */
export async function quotaUse(session: AwsSession, demands: readonly QuotaDemand[]): Promise<QuotaReport> {
  const known = demands.flatMap(demand => {
    const quota = QUOTAS[demand.type];
    return quota ? [{ demand, quota }] : [];
  });
  const asked = await Promise.all(
    known.map(async ({ demand, quota }): Promise<QuotaUse | { region: RegionName; reason: string }> => {
      const settings = session.settings(demand.region);
      const { name, serviceCode, quotaCode } = quota;
      try {
        const [limit, inUse] = await Promise.all([limitOf(settings, quota), quota.countInUse(settings)]);
        return { ...demand, name, serviceCode, quotaCode, limit, inUse };
      } catch (error) {
        return { region: demand.region, reason: `${name}: ${errorMessage(error)}` };
      }
    }),
  );
  return {
    uses: asked.filter(entry => 'limit' in entry),
    unseen: asked.filter(entry => 'reason' in entry),
  };
}

/** Where nobody ever raised it, some accounts are told only the default. */
function limitOf(settings: ClientSettings, { serviceCode, quotaCode }: Quota): Promise<number> {
  const wanted = { ServiceCode: serviceCode, QuotaCode: quotaCode };
  return using(new ServiceQuotasClient(settings), async client => {
    const { Quota: quota } = await client
      .send(new GetServiceQuotaCommand(wanted))
      .catch(async (error: unknown) => {
        if (!(error instanceof NoSuchResourceException)) throw error;
        return client.send(new GetAWSDefaultServiceQuotaCommand(wanted));
      });
    if (quota?.Value === undefined) throw new Error('Service Quotas gave no value');
    return quota.Value;
  });
}

async function using<Client extends { destroy(): void }, Result>(
  client: Client,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
