import { SECOND_MS } from '../core/duration.ts';
import { errorMessage, TandemError, type ErrorKind } from '../core/error.ts';
import type { EventQuery, LogQuery, RegionOperations } from '../model/cloud.ts';
import type { RegionName } from '../model/names.ts';
import { askHttp, readLines, readText, timeLimit, type HttpQuestion } from '../platform/http.ts';
import type { IncomingMessage } from '../platform/network.ts';

export interface RegionClientLimits {
  /** How long a question may take, and how long a deed, until the region counts as not answering. */
  questionMs: number;
  deedMs: number;
}

const OK = 200;
const LIMITS: RegionClientLimits = { questionMs: 5 * SECOND_MS, deedMs: 30 * SECOND_MS };

/**
 * `RegionOperations` over HTTP: the other end of `createRegionApi`. Errors arrive as they were thrown there. A region
 * that takes the connection and says nothing (its process hangs) is as unreachable as one that is gone.
 */
export function createRegionClient(
  region: RegionName,
  endpoint: string,
  limits: RegionClientLimits = LIMITS,
): RegionOperations {
  const api = `${endpoint}/api`;

  async function call<Result>(
    path: string,
    body?: unknown,
    method = body === undefined ? 'GET' : 'POST',
  ): Promise<Result> {
    const response = await send(path, {
      method,
      signal: timeLimit(method === 'GET' ? limits.questionMs : limits.deedMs),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    try {
      return JSON.parse(await readText(response)) as Result;
    } catch (error) {
      throw unreachable(error);
    }
  }

  async function* follow<Item>(path: string, signal: AbortSignal | undefined): AsyncGenerator<Item> {
    try {
      const response = await send(path, { method: 'GET', ...(signal !== undefined && { signal }) });
      for await (const line of readLines(response)) yield JSON.parse(line) as Item;
    } catch (error) {
      if (signal?.aborted) return;
      throw error instanceof TandemError ? error : unreachable(error);
    }
  }

  async function send(path: string, question: HttpQuestion): Promise<IncomingMessage> {
    const url = `${api}${path}`;
    let response: IncomingMessage;
    let text: string;
    try {
      response = await askHttp(url, question);
      if (response.statusCode === OK) return response;
      text = await readText(response);
    } catch (error) {
      throw unreachable(error);
    }
    throw refusal(url, response.statusCode!, text);
  }

  function unreachable(error: unknown): TandemError {
    // What took too long was aborted; why, is the cause.
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return new TandemError(
      'REGION_UNREACHABLE',
      `${region} does not answer at ${endpoint} (${errorMessage(reason)}). What it is doing is unknown until it does; ` +
        '`tandem status` tells when it is back.',
      { kind: 'system', data: { region, endpoint }, cause: error },
    );
  }

  const id = (executionId: string) => encodeURIComponent(executionId);
  return {
    status: () => call('/status'),
    executions: query => call(`/executions${queryString(query)}`),
    execution: executionId => call(`/executions/${id(executionId)}`),
    approve: ({ executionId, ...decision }) => call(`/executions/${id(executionId)}/approve`, decision),
    reject: ({ executionId, ...decision }) => call(`/executions/${id(executionId)}/reject`, decision),
    retry: (executionId, by) => call(`/executions/${id(executionId)}/retry`, { by }),
    stop: (executionId, options) => call(`/executions/${id(executionId)}/stop`, options),
    rollback: request => call('/rollback', request),
    releases: () => call('/releases'),
    restart: async service => {
      await call(`/services/${service}/restart`, undefined, 'POST');
    },
    scale: async (service, desiredCount) => {
      await call(`/services/${service}/scale`, { desiredCount });
    },
    events: (query: EventQuery, signal) => follow(`/events${queryString(query)}`, signal),
    logs: (query: LogQuery, signal) => follow(`/logs${queryString(query)}`, signal),
  };
}

function refusal(url: string, status: number, text: string): TandemError {
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; kind: ErrorKind; data: Record<string, unknown> };
    };
    return new TandemError(error.code, error.message, { kind: error.kind, data: error.data });
  } catch {
    return new TandemError('API_ANSWER_INVALID', `${url} answered ${status}: ${text.slice(0, 200)}`, {
      kind: 'system',
    });
  }
}

function queryString(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
