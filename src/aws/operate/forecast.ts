import { unreachable } from '../../core/assert.ts';
import { SECOND_MS } from '../../core/duration.ts';
import type { ChangeAction, InfrastructureStack, PlannedChange } from '../../model/infrastructure.ts';

/** How many resources Terraform works on at once, unless told otherwise. */
const PARALLELISM = 10;

/** Seconds that AWS usually takes, for what takes long; observed orders of magnitude, not promises. */
const SLOW: Readonly<Record<string, { make: number; remove: number }>> = {
  aws_acm_certificate_validation: { make: 180, remove: 1 },
  aws_db_instance: { make: 900, remove: 420 },
  aws_dynamodb_table: { make: 30, remove: 30 },
  aws_ecs_service: { make: 30, remove: 150 },
  aws_internet_gateway: { make: 5, remove: 40 },
  aws_lb: { make: 180, remove: 30 },
  aws_nat_gateway: { make: 110, remove: 60 },
  aws_rds_cluster: { make: 120, remove: 120 },
  aws_rds_cluster_instance: { make: 600, remove: 420 },
  aws_rds_global_cluster: { make: 30, remove: 60 },
  aws_route53_record: { make: 45, remove: 45 },
  aws_secretsmanager_secret: { make: 5, remove: 5 },
  aws_subnet: { make: 12, remove: 10 },
  aws_vpc: { make: 12, remove: 3 },
  aws_vpc_endpoint: { make: 60, remove: 60 },
};
const ORDINARY = { make: 4, remove: 2 };

/**
 * About how long applying takes, in milliseconds: the longest chain of resources that wait for each other, or all of
 * them shared among Terraform's workers, whichever is longer.
 */
export function forecastMs(stack: InfrastructureStack, changes: readonly PlannedChange[]): number {
  const seconds = new Map(changes.map(({ address, type, action }) => [address, secondsOf(type, action)]));
  const references = referencesOf(stack);
  const chains = new Map<string, number>();
  const chainOf = (address: string): number => {
    const known = chains.get(address);
    if (known !== undefined) return known;
    chains.set(address, 0);
    const before = (references.get(address) ?? []).map(chainOf);
    const length = (seconds.get(address) ?? 0) + Math.max(0, ...before);
    chains.set(address, length);
    return length;
  };
  const longest = Math.max(0, ...[...references.keys(), ...seconds.keys()].map(chainOf));
  const all = [...seconds.values()].reduce((sum, each) => sum + each, 0);
  return Math.max(longest, all / PARALLELISM) * SECOND_MS;
}

function secondsOf(type: string, action: ChangeAction): number {
  const { make, remove } = SLOW[type] ?? ORDINARY;
  switch (action) {
    case 'create':
    case 'update':
      return make;
    case 'delete':
      return remove;
    case 'replace':
      return make + remove;
    case 'forget':
      return 0;
    default:
      return unreachable(action);
  }
}

/** Which resources each resource of the document mentions; for a deletion the same chains, walked the other way. */
function referencesOf({ document }: InfrastructureStack): Map<string, string[]> {
  const resources = (document['resource'] ?? {}) as Record<string, Record<string, unknown>>;
  const entries = Object.entries(resources).flatMap(([type, named]) =>
    Object.entries(named).map(([name, resource]) => [`${type}.${name}`, JSON.stringify(resource)] as const),
  );
  const known = new Set<string>(entries.map(([address]) => address));
  return new Map(
    entries.map(([address, text]) => {
      const mentioned = [...text.matchAll(/\b([a-z][a-z0-9_]*\.[a-zA-Z][\w-]*)/g)].map(([, other]) => other!);
      return [address, [...new Set(mentioned)].filter(other => other !== address && known.has(other))];
    }),
  );
}
