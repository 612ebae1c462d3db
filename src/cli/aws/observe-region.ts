import { parseInstant } from '../../core/instant.ts';
import type { CostLine } from '../../model/cost.ts';
import type { LockObservation, NatObservation, RegionObservation } from '../../model/diagnosis.ts';
import type { CommandContext } from '../context.ts';
import { openApplication } from './application.ts';

/** What is seen of an application on AWS: who holds its states, and what its NAT gateways cost. */
export async function observeAwsRegions(context: CommandContext): Promise<RegionObservation[]> {
  const { config, identity, stacks } = await openApplication(context, { localState: false, protect: true });
  const { lines } = (await context.cost.report(config)).estimate;
  const locks = await Promise.all(
    stacks.map(async ({ name, region, ...stack }) => {
      const lock = await context.aws.readStateLock({ name, region, ...stack }, identity.accountId);
      return { name, region, lock };
    }),
  );
  const now = context.clock.now();
  return [...new Set(stacks.map(({ region }) => region))].map(region => {
    const held = locks.flatMap(({ name, region: place, lock }): LockObservation[] => {
      if (place !== region || lock === undefined) return [];
      const { who, operation, created } = lock;
      return [{ stack: name, who, operation, since: parseInstant(created) ?? now }];
    });
    const nat = natOf(lines.filter(line => line.region === region));
    return {
      region,
      at: now,
      services: [],
      replication: [],
      locks: held,
      ...(nat && { nat }),
      unseen: [
        {
          what: 'services, builds and replication',
          reason:
            'on AWS this version sees state locks and NAT only; the CloudWatch dashboard shows the others',
        },
      ],
    };
  });
}

function natOf(lines: readonly CostLine[]): NatObservation | undefined {
  const gateways = lines.filter(({ item }) => item === 'NAT gateway');
  const traffic = lines.find(({ item }) => item === 'NAT traffic');
  if (gateways.length === 0) return undefined;
  return {
    gateways: gateways.length,
    usdPerMonth: gateways.reduce((total, { usd }) => total + usd, 0),
    usdPerGb: traffic?.usdPerUnit ?? 0,
  };
}
