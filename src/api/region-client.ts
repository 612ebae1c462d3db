import { errorMessage, TandemError, type ErrorKind } from '../core/error.ts';
import type { EventQuery, LogQuery, RegionOperations } from '../model/cloud.ts';
import type { RegionName } from '../model/names.ts';
import { fetchHttp, readLines } from '../platform/http.ts';

/** `RegionOperations` over HTTP: the other end of `createRegionApi`. Errors arrive as they were thrown there. */
export function createRegionClient(region: RegionName, endpoint: string): RegionOperations {
  const api = `${endpoint}/api`;

  async function call<Result>(
    path: string,
    body?: unknown,
    method = body === undefined ? 'GET' : 'POST',
  ): Promise<Result> {
    const response = await send(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    try {
      return (await response.json()) as Result;
    } catch (error) {
      throw unreachable(error);
    }
  }

  async function* follow<Item>(path: string, signal: AbortSignal | undefined): AsyncGenerator<Item> {
    const response = await send(path, signal === undefined ? {} : { signal });
    if (!response.body) return;
    try {
      for await (const line of readLines(response.body)) yield JSON.parse(line) as Item;
    } catch (error) {
      if (signal?.aborted) return;
      throw unreachable(error);
    }
  }

  async function send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetchHttp(`${api}${path}`, init);
    } catch (error) {
      if (init.signal?.aborted) return new Response(null);
      throw unreachable(error);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  function unreachable(error: unknown): TandemError {
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
    events: (query: EventQuery, signal) => follow(`/events${queryString(query)}`, signal),
    logs: (query: LogQuery, signal) => follow(`/logs${queryString(query)}`, signal),
  };
}

async function refusal(response: Response): Promise<TandemError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; kind: ErrorKind; data: Record<string, unknown> };
    };
    return new TandemError(error.code, error.message, { kind: error.kind, data: error.data });
  } catch {
    return new TandemError(
      'API_ANSWER_INVALID',
      `${response.url} answered ${response.status}: ${text.slice(0, 200)}`,
      {
        kind: 'system',
      },
    );
  }
}

function queryString(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
