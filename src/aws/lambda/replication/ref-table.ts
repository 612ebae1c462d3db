/*
 * What a region's repository was last known to hold, and under which versions: one DynamoDB item a ref, in a table of the
 * region. Every change of an item says which revision of it it knows, so of two functions that work on the same ref at
 * once one is told that it is late.
 */
import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { Version } from '../../../control/replication/version.ts';
import type { Instant } from '../../../core/instant.ts';
import type { CommitId, RegionName } from '../../../model/names.ts';

export interface RefRecord {
  /** `undefined`: deleted. */
  id: CommitId | undefined;
  version: Version;
  /** Goes up with every change of the record; 0: there is none. */
  revision: number;
  /** When the value was pushed, as far as is known. */
  changedAt: Instant;
  /** What another region was about to put here: if that is what is found, it has this version. */
  intent?: { id: CommitId | undefined; version: Version };
}

/** What is kept about a peer between rounds. */
export interface PeerRecord {
  /** When the last round that went through began: what changed before has been seen to. */
  roundStartedAt: Instant;
  splitRefs: readonly string[];
}

type Item = Record<string, AttributeValue>;

/** Keys that are no refs, which begin with `refs/`. */
const REPLICA_KEY = '#replica';
const peerKey = (peer: RegionName) => `#peer ${peer}`;

export class RefTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #repository: string;

  constructor(client: DynamoDBClient, tableName: string, repository: string) {
    this.#client = client;
    this.#tableName = tableName;
    this.#repository = repository;
  }

  async list(): Promise<Map<string, RefRecord>> {
    const records = new Map<string, RefRecord>();
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#tableName,
          KeyConditionExpression: 'repository = :repository AND begins_with(#key, :refs)',
          ExpressionAttributeNames: { '#key': 'key' },
          ExpressionAttributeValues: { ':repository': { S: this.#repository }, ':refs': { S: 'refs/' } },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      for (const item of Items) records.set(text(item['key'])!, recordOf(item));
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return records;
  }

  /** Stores the record as the next revision after the one it names; false where another came first. */
  async put(ref: string, record: RefRecord): Promise<boolean> {
    return this.#putIf(
      itemOf(ref, record),
      record.revision === 0 ? 'attribute_not_exists(#key)' : 'revision = :known',
      record.revision === 0 ? undefined : { ':known': number(record.revision) },
    );
  }

  /**
   * The name that changes in this region are counted under. It is new when the table is: a table that was lost would
   * otherwise count from one again, and pass old for new.
   */
  async replica(region: RegionName, newId: () => string): Promise<string> {
    const nameOf = (item: Item | undefined) => item && `${region}/${text(item['id'])!}`;
    const known = nameOf(await this.#get(REPLICA_KEY));
    if (known !== undefined) return known;
    const item = { key: { S: REPLICA_KEY }, id: { S: newId() } };
    const isFirst = await this.#putIf(item, 'attribute_not_exists(#key)');
    return nameOf(isFirst ? item : await this.#get(REPLICA_KEY))!;
  }

  async peer(peer: RegionName): Promise<PeerRecord> {
    const item = await this.#get(peerKey(peer));
    return {
      roundStartedAt: Number(item?.['roundStartedAt']?.N ?? 0),
      splitRefs: (item?.['splitRefs']?.L ?? []).map(entry => entry.S!),
    };
  }

  async putPeer(peer: RegionName, { roundStartedAt, splitRefs }: PeerRecord): Promise<void> {
    await this.#putIf({
      key: { S: peerKey(peer) },
      roundStartedAt: number(roundStartedAt),
      splitRefs: { L: splitRefs.map(ref => ({ S: ref })) },
    });
  }

  async #get(key: string): Promise<Item | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#tableName,
        Key: { repository: { S: this.#repository }, key: { S: key } },
        ConsistentRead: true,
      }),
    );
    return item;
  }

  async #putIf(item: Item, condition?: string, values?: Item): Promise<boolean> {
    try {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#tableName,
          Item: { repository: { S: this.#repository }, ...item },
          ConditionExpression: condition,
          ...(condition?.includes('#key') && { ExpressionAttributeNames: { '#key': 'key' } }),
          ExpressionAttributeValues: values,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

function itemOf(ref: string, { id, version, revision, changedAt, intent }: RefRecord): Item {
  return {
    key: { S: ref },
    ...(id !== undefined && { id: { S: id } }),
    version: versionMap(version),
    revision: number(revision + 1),
    changedAt: number(changedAt),
    ...(intent && {
      intent: {
        M: {
          ...(intent.id !== undefined && { id: { S: intent.id } }),
          version: versionMap(intent.version),
        },
      },
    }),
  };
}

function recordOf(item: Item): RefRecord {
  const intent = item['intent']?.M;
  return {
    id: text(item['id']),
    version: versionOf(item['version']),
    revision: Number(item['revision']?.N),
    changedAt: Number(item['changedAt']?.N),
    ...(intent && { intent: { id: text(intent['id']), version: versionOf(intent['version']) } }),
  };
}

function text(value: AttributeValue | undefined): string | undefined {
  return value?.S;
}

function number(value: number): AttributeValue {
  return { N: String(value) };
}

function versionMap(version: Version): AttributeValue {
  return {
    M: Object.fromEntries(Object.entries(version).map(([replica, count]) => [replica, number(count)])),
  };
}

function versionOf(value: AttributeValue | undefined): Version {
  return Object.fromEntries(
    Object.entries(value?.M ?? {}).map(([replica, count]) => [replica, Number(count.N)]),
  );
}
