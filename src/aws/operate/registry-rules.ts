import { DescribeRegistryCommand, ECRClient, type ReplicationRule } from '@aws-sdk/client-ecr';
import { errorMessage } from '../../core/error.ts';
import type { ForeignReplication } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';

/** What an application says that its registries replicate. */
export interface OwnReplication {
  regions: readonly RegionName[];
  accountId: string;
  /** What names of repositories begin with. */
  filters: readonly string[];
}

/**
 * Rules in the registries of these regions that are lost when the application's own are written, for whoever writes a
 * registry's replication configuration writes all of it (Amazon ECR API reference, PutReplicationConfiguration). Other
 * destinations in the same account are a change of the application's own. A region that does not answer hides no other.
 */
export async function foreignReplication(
  session: AwsSession,
  own: OwnReplication,
): Promise<ForeignReplication> {
  const asked = await Promise.all(
    own.regions.map(async region => {
      const client = new ECRClient(session.settings(region));
      try {
        const { replicationConfiguration } = await client.send(new DescribeRegistryCommand({}));
        return { region, rules: replicationConfiguration?.rules ?? [] };
      } catch (error) {
        return { region, rules: [], reason: errorMessage(error) };
      } finally {
        client.destroy();
      }
    }),
  );
  return {
    rules: asked.flatMap(({ region, rules }) =>
      rules.filter(rule => !isCovered(rule, own)).map(rule => ({ region, ...described(rule) })),
    ),
    unseen: asked.flatMap(({ region, reason }) => (reason === undefined ? [] : [{ region, reason }])),
  };
}

function isCovered({ repositoryFilters = [], destinations = [] }: ReplicationRule, own: OwnReplication) {
  return (
    // Without any filter a rule is for all repositories.
    repositoryFilters.length > 0 &&
    repositoryFilters.every(({ filter = '' }) => own.filters.some(prefix => filter.startsWith(prefix))) &&
    destinations.every(({ registryId }) => registryId === own.accountId)
  );
}

function described({ repositoryFilters = [], destinations = [] }: ReplicationRule) {
  return {
    filters: repositoryFilters.map(({ filter = '' }) => filter),
    destinations: destinations.map(({ region = '', registryId = '' }) => ({ region, registryId })),
  };
}
