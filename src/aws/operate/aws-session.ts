import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { errorMessage, TandemError } from '../../core/error.ts';
import type { AwsIdentity } from '../../model/infrastructure.ts';
import type { RegionName } from '../../model/names.ts';

/** What an AWS client of ours is made with. */
export interface ClientSettings {
  region: RegionName;
  credentials: STSClient['config']['credentials'];
  maxAttempts: number;
  /** Waits longer the more often AWS says that it is asked too often. */
  retryMode: 'adaptive';
}

/** A throttled call of a read-only sweep over all regions is worth waiting for. */
const ATTEMPTS = 6;

/**
 * The AWS SDK's ordinary credentials (environment, profile, SSO, container, instance), found once and shared by all
 * clients: `new S3Client(session.settings('us-east-1'))`. Endpoints follow AWS_ENDPOINT_URL as everywhere.
 */
export class AwsSession {
  readonly #sts: STSClient;

  constructor(region: RegionName) {
    this.#sts = new STSClient({ region, maxAttempts: ATTEMPTS });
  }

  settings(region: RegionName): ClientSettings {
    return {
      region,
      credentials: this.#sts.config.credentials,
      maxAttempts: ATTEMPTS,
      retryMode: 'adaptive',
    };
  }

  /** Whose credentials they are. Throws CREDENTIALS_MISSING, CREDENTIALS_REFUSED or AWS_UNREACHABLE. */
  async identify(): Promise<AwsIdentity> {
    try {
      const { Account, Arn } = await this.#sts.send(new GetCallerIdentityCommand({}));
      const { expiration } = await this.#sts.config.credentials();
      return {
        accountId: Account ?? '',
        arn: Arn ?? '',
        ...(expiration !== undefined && { expiresAt: expiration.getTime() }),
      };
    } catch (error) {
      throw identityFailure(error);
    }
  }
}

function identityFailure(error: unknown): TandemError {
  return (
    credentialsFailure(error, /Token|Credential|Signature|Denied/) ??
    new TandemError(
      'AWS_UNREACHABLE',
      `AWS does not answer who we are (${errorMessage(error)}): check the network, and try again`,
      { kind: 'system', cause: error },
    )
  );
}

/** What AWS's services call credentials that have expired, are wrong, or are not theirs (each one's common errors page). */
const REFUSED_CREDENTIALS =
  /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|InvalidAccessKeyId|AuthFailure|RequestExpired|MissingAuthenticationToken)/;
/** AWS did answer, but nothing of what was asked. */
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;

/**
 * Asks a region one thing. Throws CREDENTIALS_MISSING, CREDENTIALS_REFUSED, AWS_CALL_FAILED where AWS refuses it, and
 * REGION_UNREACHABLE where it does not answer, or not any more for now: then nothing is known.
 *
 * @param permission what it takes, as `ecs:DescribeServices`
 */
export async function askingRegion<Result>(
  region: RegionName,
  permission: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await callingAws(permission, work);
  } catch (error) {
    throw regionFailure(region, permission, error);
  }
}

function regionFailure(region: RegionName, permission: string, error: unknown): unknown {
  const isRefusal = error instanceof TandemError && error.code === 'AWS_CALL_FAILED';
  if (error instanceof TandemError && !isRefusal) return error;
  const cause = isRefusal ? error.cause : error;
  const refused = credentialsFailure(cause, REFUSED_CREDENTIALS);
  if (refused !== undefined) return refused;
  if (!isRefusal) return error;
  const { status } = error.data as { status?: number };
  const isThrottled = cause instanceof Error && THROTTLED.test(cause.name);
  if (status !== undefined && status < 500 && !isThrottled) return error;
  const why = isThrottled ? 'takes no more calls for now: it is asked too often' : 'does not answer';
  return new TandemError('REGION_UNREACHABLE', `${region} ${why} (${permission}: ${errorMessage(cause)})`, {
    kind: 'system',
    cause,
    data: { region },
  });
}

function credentialsFailure(error: unknown, refusals: RegExp): TandemError | undefined {
  const name = error instanceof Error ? error.name : '';
  const reason = errorMessage(error);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new TandemError(
      'CREDENTIALS_MISSING',
      `there are no AWS credentials: sign in (aws sso login, aws configure) or set AWS_PROFILE\n  ${reason}`,
      { cause: error },
    );
  }
  if (error instanceof Error && '$metadata' in error && refusals.test(name)) {
    return new TandemError(
      'CREDENTIALS_REFUSED',
      `AWS does not take the credentials (${name}: ${reason}): sign in again, or set AWS_PROFILE to another profile`,
      { cause: error },
    );
  }
  return undefined;
}

/** Does something on AWS, and says what it was where AWS refuses or fails it. Throws AWS_CALL_FAILED. */
export async function callingAws<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error)) throw error;
    const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
    const mend = httpStatusCode === 403 ? ': these credentials may not do that, or a policy forbids it' : '';
    throw new TandemError(
      'AWS_CALL_FAILED',
      `${what} failed: ${error.name}: ${error.message.split('\n', 1)[0]}${mend}`,
      {
        kind: 'system',
        cause: error,
        data: { name: error.name, status: httpStatusCode },
      },
    );
  }
}
