import { errorMessage } from '../../core/error.ts';
import type { NameClash, NameReport, StackPlan } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';
import { plannedResources } from './planned-resources.ts';
import { NAMED_KINDS } from './taken-names.ts';

interface WantedName {
  stack: string;
  region: RegionName;
  type: string;
  address: string;
  name: string;
}

/**
 * Names that plans would give and that something has already: since the plan makes it, no state knows of it. What may not
 * be asked hides no other.
 */
export async function nameClashes(session: AwsSession, plans: readonly StackPlan[]): Promise<NameReport> {
  const wanted = Map.groupBy(plans.flatMap(wantedNames), ({ region, type }) => `${region} ${type}`);
  const asked = await Promise.all(
    [...wanted.values()].map(async (alike): Promise<NameReport> => {
      const { region, type } = alike[0]!;
      const { title, findTaken } = NAMED_KINDS[type]!;
      try {
        const taken = await findTaken(
          session.settings(region),
          alike.map(({ name }) => name),
        );
        const clashes = taken.flatMap(({ name, importId }): NameClash[] =>
          alike
            .filter(other => other.name === name)
            .map(({ stack, address }) => ({ stack, region, title, name, address, importId })),
        );
        return { clashes, unseen: [] };
      } catch (error) {
        return { clashes: [], unseen: [{ region, reason: `${title}: ${errorMessage(error)}` }] };
      }
    }),
  );
  return {
    clashes: asked.flatMap(({ clashes }) => clashes),
    unseen: asked.flatMap(({ unseen }) => unseen),
  };
}

/** As far as they are known before anything is made. */
function wantedNames(plan: StackPlan): WantedName[] {
  const { stack, region } = plan;
  const created = new Set(
    plan.changes.filter(({ action }) => action === 'create').map(({ address }) => address),
  );
  return plannedResources(plan).flatMap(({ address, type, values }) => {
    const kind = NAMED_KINDS[type];
    const name = kind && values[kind.attribute];
    const isKnown = typeof name === 'string' && !name.includes('${');
    return isKnown && created.has(address) ? [{ stack, region, type, address, name }] : [];
  });
}
