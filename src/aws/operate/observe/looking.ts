import { errorMessage } from '../../../core/error.ts';
import type { RegionObservation } from '../../../model/diagnosis.ts';
import type { RegionName } from '../../../model/names.ts';
import { callingAws, type AwsSession, type ClientSettings } from '../aws-session.ts';

/** Who asks what is wrong does not want to wait for a region that is gone. */
const ATTEMPTS = 2;
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** One look at a region: the clients it is taken with, and what could not be seen. */
export class Looking {
  readonly unseen: RegionObservation['unseen'] = [];
  readonly settings: ClientSettings & {
    requestHandler: { connectionTimeout: number; requestTimeout: number };
  };

  constructor(session: AwsSession, region: RegionName) {
    this.settings = {
      ...session.settings(region),
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    };
  }

  /**
   * Asks one thing of a service, and lets go of its client. What AWS refuses or fails is written down, with the permission
   * that it takes, and gives `undefined`: everything else is still looked at.
   */
  async ask<Client extends { destroy(): void }, Answer>(
    { what, permission, client }: { what: string; permission: string; client: Client },
    question: (client: Client) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await callingAws(permission, () => question(client));
    } catch (error) {
      this.unseen.push({ what, reason: errorMessage(error) });
      return undefined;
    } finally {
      client.destroy();
    }
  }
}
