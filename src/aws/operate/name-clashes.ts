import { errorMessage } from '../../core/error.ts';
import type { NameClash, NameReport, StackPlan } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';
import { blocksOf, plannedResources, type PlannedResource } from './planned-resources.ts';
import { NAMED_KINDS } from './taken-names/kinds.ts';
import type { NamedKind, Taken } from './taken-names/named-kind.ts';

interface WantedName {
  stack: string;
  /** Of the stack. */
  home: RegionName;
  /** Where the name is wanted. */
  region: RegionName;
  /** The same thing is made in another region, and copied here by AWS. */
  isCopy: boolean;
  type: string;
  address: string;
  name: string;
}

/**
 * Names that plans would give and that something has already: since the plan makes it, no state knows of it. What may not
 * be asked hides no other.
 */
export async function nameClashes(session: AwsSession, plans: readonly StackPlan[]): Promise<NameReport> {
  const own = new Set(plans.flatMap(ownNames));
  const wanted = Map.groupBy(plans.flatMap(wantedNames), ({ region, type }) => `${region} ${type}`);
  const asked = await Promise.all([...wanted.values()].map(alike => clashesOf(session, alike, own)));
  return {
    clashes: asked.flatMap(({ clashes }) => clashes),
    unseen: asked.flatMap(({ unseen }) => unseen),
  };
}

/** Of one type, in one region. */
async function clashesOf(
  session: AwsSession,
  alike: readonly WantedName[],
  own: ReadonlySet<string>,
): Promise<NameReport> {
  const { region, type } = alike[0]!;
  const kind = NAMED_KINDS[type]!;
  const names = [...new Set(alike.map(({ name }) => name))];
  try {
    const found = await kind.findTaken(session.settings(region), names);
    const refused = found.filter(entry => 'reason' in entry);
    return {
      clashes: found
        .filter(entry => 'importId' in entry)
        .filter(({ name, importId }) => ![name, importId].some(id => own.has(`${region} ${type} ${id}`)))
        .flatMap(taken => alike.filter(({ name }) => name === taken.name).map(by => clash(kind, taken, by))),
      // Where none may be looked at, one reason stands for all.
      unseen:
        refused.length === names.length && refused.length > 1
          ? [{ region, reason: `${kind.title} ${names.join(', ')}: ${refused[0]!.reason}` }]
          : refused.map(({ name, reason }) => ({ region, reason: `${kind.title} ${name}: ${reason}` })),
    };
  } catch (error) {
    return { clashes: [], unseen: [{ region, reason: `${kind.title}: ${errorMessage(error)}` }] };
  }
}

function clash({ title, command: usual }: NamedKind, taken: Taken, wanted: WantedName): NameClash {
  const { name, importId, state, command = usual! } = taken;
  const { stack, home, region, isCopy, address } = wanted;
  const words = command
    .split(' ')
    .map(word => word.replace(/\$(name|id)/, (_, which) => (which === 'name' ? name : importId)));
  return {
    stack,
    region,
    title,
    name,
    address,
    ...(state !== undefined && { state }),
    command: ['aws', ...words, '--region', region],
    // A resource that says its region is imported by it too (provider 6, "Enhanced Region Support").
    ...(!isCopy && { importId: region === home ? importId : `${importId}@${region}` }),
  };
}

/** As far as they are known before anything is made. */
function wantedNames(plan: StackPlan): WantedName[] {
  const { stack, region: home } = plan;
  const created = new Set(
    plan.changes.filter(({ action }) => action === 'create').map(({ address }) => address),
  );
  return plannedResources(plan)
    .filter(({ address }) => created.has(address))
    .flatMap(({ address, type, values }) => {
      const name = nameOf(type, values);
      if (name === undefined) return [];
      return placesOf(values, home).map((region, index) => {
        return { stack, home, region, isCopy: index > 0, type, address, name };
      });
    });
}

/** What the application has already, under whatever address. */
function ownNames({ region: home, existing }: StackPlan): string[] {
  return existing.flatMap(({ type, values }) => {
    const name = nameOf(type, values);
    return name === undefined ? [] : placesOf(values, home).map(region => `${region} ${type} ${name}`);
  });
}

/** Where a resource is, which may say so itself, and then where AWS copies it to. */
function placesOf(values: PlannedResource['values'], home: RegionName): RegionName[] {
  const copies = blocksOf(values['replica']).map(replica => replica['region'] ?? replica['region_name']);
  return [values['region'] ?? home, ...copies].filter(place => typeof place === 'string');
}

function nameOf(type: string, values: PlannedResource['values']): string | undefined {
  const kind = NAMED_KINDS[type];
  if (!kind) return undefined;
  const name = typeof kind.name === 'string' ? values[kind.name] : kind.name(values);
  return typeof name === 'string' && !name.includes('${') ? name : undefined;
}
