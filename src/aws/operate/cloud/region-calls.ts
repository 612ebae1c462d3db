import type { RegionName } from '../../../model/names.ts';
import { environment } from '../../../platform/process.ts';
import { askingRegion, type AwsSession, type ClientSettings } from '../aws-session.ts';

/** A region that is gone is said to be so while a person still waits for it. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 20_000;

interface Settings extends ClientSettings {
  requestHandler: { connectionTimeout: number; requestTimeout: number };
  disableHostPrefix: boolean;
}

/** The SDK's clients of one region, each made when it is first needed and then kept, with its connections. */
export class RegionCalls {
  readonly region: RegionName;
  readonly #settings: Settings;
  readonly #clients = new Map<unknown, unknown>();

  constructor(session: AwsSession, region: RegionName) {
    this.region = region;
    this.#settings = {
      ...session.settings(region),
      requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
      // What stands in for AWS has one name for all its services.
      disableHostPrefix: environment['AWS_ENDPOINT_URL'] !== undefined,
    };
  }

  /** Throws as `askingRegion` does. */
  async ask<Client, Answer>(
    Service: new (settings: Settings) => Client,
    permission: string,
    question: (client: Client) => Promise<Answer>,
  ): Promise<Answer> {
    const client = (this.#clients.get(Service) ?? new Service(this.#settings)) as Client;
    this.#clients.set(Service, client);
    return askingRegion(this.region, permission, () => question(client));
  }
}
