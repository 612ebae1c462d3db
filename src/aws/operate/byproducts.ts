import {
  CloudWatchLogsClient,
  DeleteLogGroupCommand,
  paginateDescribeLogGroups,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeregisterTaskDefinitionCommand, ECSClient, paginateListTaskDefinitions } from '@aws-sdk/client-ecs';
import { ENVIRONMENTS, type RegionName } from '../../model/names.ts';
import type { AwsSession } from './aws-session.ts';

/**
 * Deletes what an application's work left in a region and no state knows of: log groups that AWS made by itself, and
 * revisions that releases registered. Says what it deleted.
 */
export async function deleteByproducts(
  session: AwsSession,
  region: RegionName,
  prefix: string,
): Promise<string[]> {
  const groups = await deleteServiceLogGroups(session, region, prefix);
  const revisions = await deregisterRevisions(session, region, prefix);
  return [
    ...groups.map(group => `deleted log group ${group}`),
    ...revisions.map(revision => `deregistered task definition ${revision}`),
  ];
}

/** CloudWatch Logs makes groups for builds and clusters by itself; nobody else deletes them. Gives their names. */
async function deleteServiceLogGroups(
  session: AwsSession,
  region: RegionName,
  prefix: string,
): Promise<string[]> {
  const client = new CloudWatchLogsClient(session.settings(region));
  const beginnings = [
    `/aws/codebuild/${prefix}-build`,
    `/aws/codebuild/${prefix}-release-`,
    `/aws/ecs/containerinsights/${prefix}/`,
    `/aws/lambda/${prefix}-replication`,
  ];
  const deleted: string[] = [];
  try {
    for (const logGroupNamePrefix of beginnings) {
      for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, { logGroupNamePrefix })) {
        for (const { logGroupName } of logGroups) {
          if (logGroupName === undefined) continue;
          await client.send(new DeleteLogGroupCommand({ logGroupName }));
          deleted.push(logGroupName);
        }
      }
    }
    return deleted;
  } finally {
    client.destroy();
  }
}

/** A family belongs to one service: `shop-production`, and to nothing that is called `shop-production-2`. */
async function deregisterRevisions(
  session: AwsSession,
  region: RegionName,
  prefix: string,
): Promise<string[]> {
  const client = new ECSClient(session.settings(region));
  const deregistered: string[] = [];
  try {
    for (const environment of ENVIRONMENTS) {
      const familyPrefix = `${prefix}-${environment}`;
      const active: string[] = [];
      for await (const page of paginateListTaskDefinitions({ client }, { familyPrefix, status: 'ACTIVE' })) {
        active.push(...(page.taskDefinitionArns ?? []));
      }
      for (const taskDefinition of active) {
        const revision = taskDefinition.slice(taskDefinition.lastIndexOf('/') + 1);
        if (revision.replace(/:\d+$/, '') !== familyPrefix) continue;
        await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
        deregistered.push(revision);
      }
    }
    return deregistered;
  } finally {
    client.destroy();
  }
}
