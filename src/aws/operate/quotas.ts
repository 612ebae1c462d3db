import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { errorMessage } from '../../core/error.ts';
import type { Instant } from '../../core/instant.ts';
import type { QuotaReport, QuotaUse } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession, ClientSettings } from './aws-session.ts';
import {
  countAddresses,
  countFargateCpus,
  countInternetGateways,
  countLoadBalancers,
  countNatGateways,
  countNetworks,
  type Place,
} from './quota-counts.ts';
import type { QuotaDemand } from './quota-demands.ts';
import { using } from './using-client.ts';

interface Quota {
  /** As people know it. */
  name: string;
  serviceCode: string;
  /** Service Quotas' own; the same in every account and region. */
  quotaCode: string;
  /** Throws where it is not known. */
  countInUse(place: Place): Promise<number>;
}

/** What an account has least of, by the type of a demand. */
const QUOTAS: Readonly<Record<string, Quota>> = {
  aws_eip: {
    name: 'Elastic IP addresses',
    serviceCode: 'ec2',
    quotaCode: 'L-0263D0A3',
    countInUse: countAddresses,
  },
  aws_vpc: {
    name: 'VPCs',
    serviceCode: 'vpc',
    quotaCode: 'L-F678F1CE',
    countInUse: countNetworks,
  },
  aws_internet_gateway: {
    name: 'internet gateways',
    serviceCode: 'vpc',
    quotaCode: 'L-A4707A72',
    countInUse: countInternetGateways,
  },
  aws_nat_gateway: {
    name: 'NAT gateways of a zone',
    serviceCode: 'vpc',
    quotaCode: 'L-FE5A380F',
    countInUse: countNatGateways,
  },
  aws_lb: {
    name: 'application load balancers',
    serviceCode: 'elasticloadbalancing',
    quotaCode: 'L-53DA6B97',
    countInUse: countLoadBalancers,
  },
  fargate_vcpu: {
    name: 'Fargate On-Demand virtual CPUs',
    serviceCode: 'fargate',
    quotaCode: 'L-3032A538',
    countInUse: place => countFargateCpus(place, 'OnDemand'),
  },
  fargate_spot_vcpu: {
    name: 'Fargate Spot virtual CPUs',
    serviceCode: 'fargate',
    quotaCode: 'L-36FBB829',
    countInUse: place => countFargateCpus(place, 'Spot'),
  },
};

/**
 * What an account has of the things that are to be made, and may have at most. What one of them does not tell, for lack of
 * permission or because a region does not answer, hides no other.
 */
export async function quotaUse(
  session: AwsSession,
  demands: readonly QuotaDemand[],
  now: Instant,
): Promise<QuotaReport> {
  const known = demands.flatMap(demand => {
    const quota = QUOTAS[demand.type];
    return quota ? [{ demand, quota }] : [];
  });
  const asked = await Promise.all(
    known.map(async ({ demand, quota }): Promise<QuotaUse | { region: RegionName; reason: string }> => {
      const settings = session.settings(demand.region);
      const { type: _, ...demanded } = demand;
      const { name, serviceCode, quotaCode } = quota;
      try {
        const [limit, counted] = await Promise.all([
          limitOf(settings, quota),
          quota.countInUse({ settings, zone: demand.zone, now }),
        ]);
        // What is reported of tasks is minutes old: those that started since are in use too.
        const inUse = Math.max(counted, demand.own ?? 0);
        return { ...demanded, name, serviceCode, quotaCode, limit, inUse };
      } catch (error) {
        return { region: demand.region, reason: `${name} (${quotaCode}): ${errorMessage(error)}` };
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
