import { DescribeRepositoriesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { IAMClient, paginateListRoles } from '@aws-sdk/client-iam';
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { errorMessage } from '../../core/error.ts';
import type { Leftover } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';
import { hasEnded } from './ended.ts';
import { kindOf } from './leftovers.ts';

export interface InventoryRequest {
  /** Values of the tags Customer and Application. */
  customer: string;
  application: string;
  /** What every name begins with. */
  prefix: string;
  /** Where the application is, or was. */
  ownRegions: readonly RegionName[];
  /** Every region in which to look. */
  allRegions: readonly RegionName[];
}

interface Inventory {
  leftovers: Leftover[];
  /** Regions that did not answer, so that something may be there. */
  unseen: { region: RegionName; reason: string }[];
}

/**
 * Everything of the application that AWS still knows: by tags, in every region, and by name what carries no tags or is
 * not listed by them (roles, registries that replication made).
 */
export async function takeInventory(session: AwsSession, request: InventoryRequest): Promise<Inventory> {
  const unseen: Inventory['unseen'] = [];
  const tagged = await Promise.all(
    request.allRegions.map(async region => {
      try {
        return await taggedIn(session, region, request);
      } catch (error) {
        // A region that the account has not switched on takes no credentials, and has nothing in it.
        if (!isDisabledRegion(error)) unseen.push({ region, reason: errorMessage(error).split('\n', 1)[0]! });
        return [];
      }
    }),
  );
  const named = await Promise.all([
    rolesOf(session, request),
    ...request.ownRegions.map(region => repositoryIn(session, region, request)),
  ]);
  const byArn = new Map<string, Leftover>();
  for (const leftover of [...tagged, ...named].flat()) byArn.set(leftover.arn, leftover);
  return { leftovers: [...byArn.values()], unseen };
}

async function taggedIn(
  session: AwsSession,
  region: RegionName,
  { application, customer }: InventoryRequest,
): Promise<Leftover[]> {
  const client = new ResourceGroupsTaggingAPIClient(session.settings(region));
  const found: Leftover[] = [];
  const TagFilters = Object.entries({
    ManagedBy: 'tandem',
    Application: application,
    Customer: customer,
  }).map(([Key, value]) => ({ Key, Values: [value] }));
  try {
    for await (const { ResourceTagMappingList = [] } of paginateGetResources({ client }, { TagFilters })) {
      for (const { ResourceARN = '' } of ResourceTagMappingList) {
        if (!(await hasEnded(session, region, ResourceARN))) found.push(leftover(ResourceARN, region));
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Names go on with a region, so that an application `shop` never sees the roles of `shop-admin`. */
async function rolesOf(
  session: AwsSession,
  { prefix, ownRegions, allRegions }: InventoryRequest,
): Promise<Leftover[]> {
  const region = ownRegions[0]!;
  const client = new IAMClient(session.settings(region));
  const found: Leftover[] = [];
  try {
    for await (const { Roles = [] } of paginateListRoles({ client }, {})) {
      for (const { RoleName = '', Arn = '' } of Roles) {
        if (allRegions.some(other => RoleName.startsWith(`${prefix}-${other}-`)))
          found.push(leftover(Arn, region));
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** A registry that replication made where there was none carries no tags. */
async function repositoryIn(
  session: AwsSession,
  region: RegionName,
  { prefix }: InventoryRequest,
): Promise<Leftover[]> {
  const client = new ECRClient(session.settings(region));
  try {
    const { repositories = [] } = await client.send(
      new DescribeRepositoriesCommand({ repositoryNames: [prefix] }),
    );
    return repositories.map(({ repositoryArn = '' }) => leftover(repositoryArn, region));
  } catch (error) {
    if (error instanceof Error && error.name === 'RepositoryNotFoundException') return [];
    throw error;
  } finally {
    client.destroy();
  }
}

function leftover(arn: string, region: RegionName): Leftover {
  return { arn, region, ...kindOf(arn, region) };
}

function isDisabledRegion(error: unknown): boolean {
  return (
    error instanceof Error &&
    ['UnrecognizedClientException', 'InvalidClientTokenId', 'AuthFailure', 'OptInRequired'].includes(
      error.name,
    )
  );
}
