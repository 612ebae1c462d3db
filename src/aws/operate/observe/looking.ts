import { errorMessage, TandemError } from '../../../core/error.ts';
import type { RegionObservation } from '../../../model/diagnosis.ts';
import type { RegionName } from '../../../model/names.ts';
import { askingRegion, type AwsSession, type ClientSettings } from '../aws-session.ts';

/** Who asks what is wrong does not want to wait for a region that is gone. */
const ATTEMPTS = 2;
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** With these, nothing is known of a region. */
const SILENT: ReadonlySet<string> = new Set([
  'REGION_UNREACHABLE',
  'CREDENTIALS_MISSING',
  'CREDENTIALS_REFUSED',
]);

/** One look at a region: the clients it is taken with, and what could not be seen. */
export class Looking {
  #isAnswered = false;
  #silence: TandemError | undefined;
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
      return await this.tolerate(what, () =>
        askingRegion(this.settings.region, permission, () => question(client)),
      );
    } finally {
      client.destroy();
    }
  }

  /** Does something whose failure is written down, and gives `undefined` then. */
  async tolerate<Answer>(what: string, work: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      const answer = await work();
      this.#isAnswered = true;
      return answer;
    } catch (error) {
      this.unseen.push({ what, reason: errorMessage(error) });
      if (error instanceof TandemError && SILENT.has(error.code)) this.#silence ??= error;
      else this.#isAnswered = true;
      return undefined;
    }
  }

  /** Throws what was thrown where nothing of the region has answered, not even with a refusal. */
  requireContact(): void {
    if (!this.#isAnswered && this.#silence) throw this.#silence;
  }
}
