import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { NEVER_ACTED, type RemediationState } from '../../../control/remediation/decide.ts';

/** What was done for a service, in one item of a table; `revision` keeps two runs from both finding room for the last action. */
export interface Memory {
  read(): Promise<{ state: RemediationState; revision: number }>;
  /** False where another run was faster. */
  write(state: RemediationState, revision: number): Promise<boolean>;
}

export function createMemory(client: DynamoDBClient, tableName: string, service: string): Memory {
  return {
    async read() {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: { service: { S: service } }, ConsistentRead: true }),
      );
      if (item === undefined) return { state: NEVER_ACTED, revision: 0 };
      const state = JSON.parse(item['state']!.S!) as RemediationState;
      return { state, revision: Number(item['revision']!.N) };
    },
    async write(state, revision) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: {
              service: { S: service },
              state: { S: JSON.stringify(state) },
              revision: { N: String(revision + 1) },
            },
            ConditionExpression: 'attribute_not_exists(service) OR revision = :known',
            ExpressionAttributeValues: { ':known': { N: String(revision) } },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}
