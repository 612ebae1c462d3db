import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  GetObjectCommand,
  NoSuchKey,
  paginateListObjectsV2,
  S3Client,
  type _Object,
} from '@aws-sdk/client-s3';
import { DAY_MS } from '../../../core/duration.ts';
import { errorMessage, systemErrorCode, TandemError } from '../../../core/error.ts';
import { formatInstant, parseInstant, type Instant } from '../../../core/instant.ts';
import { readLines } from '../../../platform/http.ts';
import type { RegionCalls } from './region-calls.ts';

/** A file of an access log: what one node of a load balancer wrote down in five minutes, or a part of it. */
export interface AccessLogObject {
  environment: string;
  bucket: string;
  key: string;
  /** The end of its five minutes. */
  endsAt: Instant;
  /** When it was stored, in whole seconds. */
  storedAt: Instant;
}

export interface AccessLogPlace {
  bucket: string;
  accountId: string;
  /** What is older is gone. */
  retentionDays: number;
}

/** `…_20261123T0215Z_203.0.113.7_2kx9rb1f.log.gz`: the end of the five minutes, the node, something random. */
const NAME = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_[^_/]+_[^_/]+\.log\.gz$/;
/** A URL and a program's name have 64 KiB and 8 KiB at most; something else may be in a file than should. */
const LONGEST_LINE = 131_072;

/** The objects of all days from one to another, in no order. Throws ACCESS_LOGS_MISSING. */
export async function listAccessLog(
  calls: RegionCalls,
  { bucket, accountId, retentionDays }: AccessLogPlace,
  { environments, from, to }: { environments: readonly string[]; from: Instant; to: Instant },
): Promise<AccessLogObject[]> {
  const days: Instant[] = [];
  const first = Math.max(from, to - retentionDays * DAY_MS);
  for (let day = Math.floor(first / DAY_MS); day * DAY_MS <= to; day += 1) days.push(day * DAY_MS);
  const found: AccessLogObject[] = [];
  for (const environment of environments) {
    for (const day of days) {
      const date = formatInstant(day).slice(0, 'yyyy-mm-dd'.length).replaceAll('-', '/');
      const prefix = `${environment}/AWSLogs/${accountId}/elasticloadbalancing/${calls.region}/${date}/`;
      const objects = await listBelow(calls, bucket, prefix);
      found.push(...objects.flatMap(object => accessLogObject(object, { environment, bucket })));
    }
  }
  return found;
}

function listBelow(calls: RegionCalls, bucket: string, prefix: string): Promise<_Object[]> {
  return calls.ask(S3Client, 's3:ListBucket', async client => {
    const found: _Object[] = [];
    try {
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: prefix },
      )) {
        found.push(...Contents);
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'NoSuchBucket') throw error;
      throw new TandemError(
        'ACCESS_LOGS_MISSING',
        `${calls.region} has no bucket ${bucket}, which the load balancers’ access logs go to: ` +
          '`tandem deploy --target aws` makes it where `logs.accessLogs` is true',
        { data: { region: calls.region, bucket }, cause: error },
      );
    }
    return found;
  });
}

/** Nothing where it is something else, such as the file that the load balancer tries its permission with. */
function accessLogObject(
  { Key: key = '', LastModified }: _Object,
  place: { environment: string; bucket: string },
): AccessLogObject[] {
  const [, year, month, day, hour, minute] = NAME.exec(key) ?? [];
  const endsAt = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
  if (endsAt === undefined || LastModified === undefined) return [];
  return [{ ...place, key, endsAt, storedAt: LastModified.getTime() }];
}

/**
 * The lines of an object, as they come. Throws what `isDamage` knows where it is no whole gzip file, and REGION_UNREACHABLE
 * where its rest does not come.
 */
export async function* readAccessLogObject(
  calls: RegionCalls,
  { bucket, key }: AccessLogObject,
): AsyncGenerator<string> {
  const body = await calls.ask(S3Client, 's3:GetObject', async client => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Body as Readable;
    } catch (error) {
      // It has expired since it was listed.
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  });
  if (body === undefined) return;
  try {
    yield* readLines(
      pipeline(body, createGunzip(), () => undefined),
      LONGEST_LINE,
    );
  } catch (error) {
    if (isDamage(error)) throw error;
    throw new TandemError(
      'REGION_UNREACHABLE',
      `${calls.region} stopped in the middle of s3://${bucket}/${key} (${errorMessage(error)})`,
      { kind: 'system', cause: error, data: { region: calls.region } },
    );
  }
}

/** Whether what was read is no gzip file, or not the whole of one. */
export function isDamage(error: unknown): boolean {
  return systemErrorCode(error)?.startsWith('Z_') ?? false;
}
