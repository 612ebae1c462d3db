import { DescribeNatGatewaysCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
} from '@aws-sdk/client-ecs';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { RegionName } from '../../model/names.ts';
import type { AwsSession, ClientSettings } from './aws-session.ts';
import { using } from './using-client.ts';

interface Ending {
  /** Matched against what follows the account in an ARN, `service:rest`. */
  pattern: RegExp;
  /** Asks the service itself, with the pattern's groups. */
  hasEnded(settings: ClientSettings, names: readonly string[]): Promise<boolean>;
  /** What the service calls an answer that it no longer knows the thing. */
  unknownAs: readonly string[];
}

/**
 * What AWS goes on listing by its tags after its end, and how its service tells that it has ended. Of all else that is
 * listed, nothing has.
 */
const ENDINGS: readonly Ending[] = [
  {
    // Visible for about an hour (VPC guide, "Delete a NAT gateway").
    pattern: /^ec2:natgateway\/(.+)$/,
    unknownAs: ['NatGatewayNotFound'],
    hasEnded: (settings, [id]) =>
      using(new EC2Client(settings), async client => {
        const { NatGateways = [] } = await client.send(
          new DescribeNatGatewaysCommand({ NatGatewayIds: [id!] }),
        );
        return NatGateways.every(({ State }) => State === 'deleted');
      }),
  },
  {
    // INACTIVE ones "may remain discoverable for a period of time" (API reference, DeleteCluster and DeleteService).
    pattern: /^ecs:cluster\/(.+)$/,
    unknownAs: ['ClusterNotFoundException'],
    hasEnded: (settings, [name]) =>
      using(new ECSClient(settings), async client => {
        const { clusters = [] } = await client.send(new DescribeClustersCommand({ clusters: [name!] }));
        return clusters.every(({ status }) => status === 'INACTIVE');
      }),
  },
  {
    pattern: /^ecs:service\/([^/]+)\/(.+)$/,
    unknownAs: ['ClusterNotFoundException'],
    hasEnded: (settings, [cluster, service]) =>
      using(new ECSClient(settings), async client => {
        const { services = [] } = await client.send(
          new DescribeServicesCommand({ cluster, services: [service!] }),
        );
        return services.every(({ status }) => status === 'INACTIVE');
      }),
  },
  {
    // INACTIVE ones stay "discoverable in your account indefinitely" (API reference, DeregisterTaskDefinition).
    pattern: /^ecs:task-definition\/(.+)$/,
    unknownAs: ['ClientException'],
    hasEnded: (settings, [taskDefinition]) =>
      using(new ECSClient(settings), async client => {
        const { taskDefinition: found } = await client.send(
          new DescribeTaskDefinitionCommand({ taskDefinition }),
        );
        return found?.status !== 'ACTIVE';
      }),
  },
  {
    // It goes 7 to 30 days later, is not billed until then, and cannot go sooner (API reference, ScheduleKeyDeletion).
    pattern: /^kms:key\/(.+)$/,
    unknownAs: ['NotFoundException'],
    hasEnded: (settings, [KeyId]) =>
      using(new KMSClient(settings), async client => {
        const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
        return KeyMetadata?.KeyState === 'PendingDeletion';
      }),
  },
  {
    // It goes at the end of its recovery window, and is not billed until then.
    pattern: /^secretsmanager:secret:(.+)-[^-]{6}$/,
    unknownAs: ['ResourceNotFoundException'],
    hasEnded: (settings, [SecretId]) =>
      using(new SecretsManagerClient(settings), async client => {
        const { DeletedDate } = await client.send(new DescribeSecretCommand({ SecretId }));
        return DeletedDate !== undefined;
      }),
  },
  {
    pattern: /^s3:([^/]+)$/,
    unknownAs: ['NotFound', 'NoSuchBucket'],
    hasEnded: (settings, [Bucket]) =>
      using(new S3Client(settings), async client => {
        await client.send(new HeadBucketCommand({ Bucket }));
        return false;
      }),
  },
];

/** Whether something that AWS still lists is over. Where its service does not say, it is not. */
export async function hasEnded(session: AwsSession, region: RegionName, arn: string): Promise<boolean> {
  const [, , service = '', , , ...rest] = arn.split(':');
  const named = `${service}:${rest.join(':')}`;
  for (const { pattern, unknownAs, hasEnded: ask } of ENDINGS) {
    const match = pattern.exec(named);
    if (!match) continue;
    try {
      return await ask(session.settings(region), match.slice(1));
    } catch (error) {
      return error instanceof Error && unknownAs.includes(error.name);
    }
  }
  return false;
}
