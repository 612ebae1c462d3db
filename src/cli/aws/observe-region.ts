import { errorMessage } from '../../core/error.ts';
import { parseInstant, type Instant } from '../../core/instant.ts';
import type { CostLine } from '../../model/cost.ts';
import type { LockObservation, NatObservation, RegionObservation } from '../../model/diagnosis.ts';
import type { InfrastructureStack } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { openApplication } from './application.ts';

/** What is seen of an application on AWS, each region by itself: one that does not answer hides no other. */
export async function observeAwsRegions(context: CommandContext): Promise<RegionObservation[]> {
  const { config, identity, stacks } = await openApplication(context, { localState: false, protect: true });
  const { lines } = (await context.cost.report(config)).estimate;
  const now = context.clock.now();
  return Promise.all(
    [...new Set(stacks.map(({ region }) => region))].map(async region => {
      const [observation, { locks, unseen }] = await Promise.all([
        context.aws.observeRegion(config, region, now),
        observeLocks(context, {
          stacks: stacks.filter(stack => stack.region === region),
          accountId: identity.accountId,
          now,
        }),
      ]);
      const nat = natOf(lines.filter(line => line.region === region));
      return { ...observation, locks, ...(nat && { nat }), unseen: [...observation.unseen, ...unseen] };
    }),
  );
}

async function observeLocks(
  { aws }: CommandContext,
  { stacks, accountId, now }: { stacks: readonly InfrastructureStack[]; accountId: string; now: Instant },
): Promise<Pick<RegionObservation, 'locks' | 'unseen'>> {
  const locks: LockObservation[] = [];
  const unseen: RegionObservation['unseen'] = [];
  await Promise.all(
    stacks.map(async stack => {
      try {
        const lock = await aws.readStateLock(stack, accountId);
        if (lock === undefined) return;
        const { who, operation, created } = lock;
        locks.push({ stack: stack.name, who, operation, since: parseInstant(created) ?? now });
      } catch (error) {
        unseen.push({ what: `the lock of ${stack.name}`, reason: errorMessage(error) });
      }
    }),
  );
  return { locks, unseen };
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
