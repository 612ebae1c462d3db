/*
 * CodeCommit takes Git over HTTPS with a user name and a password that are made from AWS credentials and hold for some
 * minutes, as the AWS CLI's `codecommit credential-helper` makes them: a Signature Version 4 of a request with the method
 * GIT, no query and no body; the time has no Z in what is signed and one in the password.
 */
import { formatInstant, type Instant } from '../../../core/instant.ts';
import { hmacSha256, sha256 } from '../../../platform/hash.ts';
import type { RegionName } from '../../../model/names.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface GitCredentials {
  username: string;
  password: string;
}

export function codecommitCredentials(
  credentials: AwsCredentials,
  { url, region, at }: { url: string; region: RegionName; at: Instant },
): GitCredentials {
  const { hostname, pathname } = new URL(url);
  const time = formatInstant(at).replaceAll(/[-:]/g, '').replace(/\..*$/, '');
  const date = time.slice(0, 8);
  const canonicalRequest = `GIT\n${pathname}\n\nhost:${hostname}\n\nhost\n`;
  const scope = [date, region, 'codecommit', 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonicalRequest)].join('\n');
  const key = scope.reduce<string | Uint8Array>(
    (previous, part) => hmacSha256(previous, part),
    `AWS4${credentials.secretAccessKey}`,
  );
  const { accessKeyId, sessionToken } = credentials;
  return {
    username: sessionToken === undefined ? accessKeyId : `${accessKeyId}%${sessionToken}`,
    password: `${time}Z${hmacSha256(key, toSign).toString('hex')}`,
  };
}

export function basicAuthorization({ username, password }: GitCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
