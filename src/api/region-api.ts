import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { stream } from 'hono/streaming';
import { errorMessage, TandemError } from '../core/error.ts';
import type { Instant } from '../core/instant.ts';
import type { RegionOperations } from '../model/cloud.ts';
import { renderOverview } from './overview.ts';
import * as schema from './schema.ts';

/** A follower hears from us at least this often, so that a dead connection is told from a quiet one. */
const KEEP_ALIVE_MS = 15_000;

/** Far more than any request needs; a body is held in memory. */
const LARGEST_BODY_BYTES = 1_048_576;

/** Calls back every `periodMs` until the returned function is called. */
type Every = (periodMs: number, callback: () => void) => () => void;

const errorBody = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      kind: z.string(),
      data: z.record(z.string(), z.unknown()),
    }),
  })
  .openapi('Error');

const json = <Schema extends z.ZodType>(body: Schema, description: string) => ({
  200: { description, content: { 'application/json': { schema: body } } },
  '4XX': { description: 'Refused; nothing changed', content: { 'application/json': { schema: errorBody } } },
});
const lines = (body: z.ZodType, description: string) => ({
  200: {
    description: `${description}, one JSON object a line`,
    content: { 'application/x-ndjson': { schema: body } },
  },
});
const body = <Schema extends z.ZodType>(content: Schema) => ({
  body: { required: true, content: { 'application/json': { schema: content } } },
});
const executionId = z.object({
  id: z.string().min(1).openapi({ description: 'Id, or an unambiguous prefix of it' }),
});
const by = z.string().min(1).max(200);
const decision = z.object({ by, comment: z.string().max(10_000).default('') });
const count = z.coerce.number().int().min(0);
const flag = z.enum(['true', 'false']).transform(text => text === 'true');

export interface RegionApiOptions {
  operations: RegionOperations;
  now(): Instant;
  every: Every;
}

/** The HTTP API of one region: an overview at `/`, and `RegionOperations` at `/api`, described at `/api/openapi.json`. */
export function createRegionApi({ operations, now, every }: RegionApiOptions): Hono {
  const root = new Hono();
  root.onError((error, context) => answerError(context, error));
  root.notFound(context =>
    answerError(
      context,
      new TandemError('ROUTE_UNKNOWN', `Nothing is served at ${context.req.path}; see /api/openapi.json.`),
    ),
  );
  const refuseBody = (context: Context) =>
    answerError(
      context,
      new TandemError('REQUEST_TOO_LARGE', `The request's body is larger than ${LARGEST_BODY_BYTES} bytes.`),
    );
  root.use(bodyLimit({ maxSize: LARGEST_BODY_BYTES, onError: refuseBody }));
  root.get('/', async context => context.text(renderOverview(await operations.status(), now())));
  root.route('/', operationRoutes(operations, every));
  return root;
}

function operationRoutes(operations: RegionOperations, every: Every): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook: (result, context) => {
      if (result.success) return undefined;
      const faults = result.error.issues.map(issue => `${issue.path.join('.') || 'body'}: ${issue.message}`);
      return answerError(
        context,
        new TandemError('REQUEST_INVALID', `The request is not valid: ${faults.join('; ')}.`),
      );
    },
  }).basePath('/api');
  api.openapi(
    createRoute({ method: 'get', path: '/status', responses: json(schema.regionStatus, 'The region now') }),
    async context => context.json(await operations.status(), 200),
  );
  executionRoutes(api, operations);
  api.openapi(
    createRoute({
      method: 'post',
      path: '/rollback',
      request: body(z.object({ to: z.string().min(4).optional(), by })),
      responses: json(schema.execution, 'The execution that rolls back'),
    }),
    async context => {
      const request = context.req.valid('json');
      return context.json(
        await operations.rollback({
          by: request.by,
          ...(request.to === undefined ? {} : { to: request.to }),
        }),
        200,
      );
    },
  );
  api.openapi(
    createRoute({
      method: 'get',
      path: '/releases',
      responses: json(z.array(schema.releaseRecord), 'Newest first'),
    }),
    async context => context.json(await operations.releases(), 200),
  );
  api.openapi(
    createRoute({
      method: 'post',
      path: '/services/{name}/restart',
      request: { params: z.object({ name: schema.environment }) },
      responses: json(z.object({}), 'A rolling deployment of the same release has begun'),
    }),
    async context => {
      await operations.restart(context.req.valid('param').name);
      return context.json({}, 200);
    },
  );
  api.openapi(
    createRoute({
      method: 'post',
      path: '/services/{name}/scale',
      request: {
        params: z.object({ name: schema.environment }),
        ...body(z.object({ desiredCount: z.int().min(0) })),
      },
      responses: json(z.object({}), 'The desired count is set; tasks start or drain'),
    }),
    async context => {
      await operations.scale(context.req.valid('param').name, context.req.valid('json').desiredCount);
      return context.json({}, 200);
    },
  );
  followRoutes(api, operations, every);
  api.doc('/openapi.json', { openapi: '3.1.0', info: { title: 'Tandem region API', version: '1' } });
  return api;
}

function executionRoutes(api: OpenAPIHono, operations: RegionOperations): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/executions',
      request: { query: z.object({ limit: count.max(1000).optional() }) },
      responses: json(z.array(schema.execution), 'Newest first'),
    }),
    async context => {
      const { limit } = context.req.valid('query');
      return context.json(await operations.executions(limit === undefined ? {} : { limit }), 200);
    },
  );
  api.openapi(
    createRoute({
      method: 'get',
      path: '/executions/{id}',
      request: { params: executionId },
      responses: json(schema.execution, 'One execution'),
    }),
    async context => context.json(await operations.execution(context.req.valid('param').id), 200),
  );
  for (const verb of ['approve', 'reject'] as const) {
    api.openapi(
      createRoute({
        method: 'post',
        path: `/executions/{id}/${verb}`,
        request: { params: executionId, ...body(decision) },
        responses: json(schema.execution, 'The execution after the decision'),
      }),
      async context =>
        context.json(
          await operations[verb]({
            executionId: context.req.valid('param').id,
            ...context.req.valid('json'),
          }),
          200,
        ),
    );
  }
  api.openapi(
    createRoute({
      method: 'post',
      path: '/executions/{id}/retry',
      request: { params: executionId, ...body(z.object({ by })) },
      responses: json(schema.execution, 'Running again from the stage that failed'),
    }),
    async context =>
      context.json(await operations.retry(context.req.valid('param').id, context.req.valid('json').by), 200),
  );
  api.openapi(
    createRoute({
      method: 'post',
      path: '/executions/{id}/stop',
      request: { params: executionId, ...body(z.object({ by, abandon: z.boolean().default(false) })) },
      responses: json(schema.execution, 'Stopping, or stopped'),
    }),
    async context =>
      context.json(await operations.stop(context.req.valid('param').id, context.req.valid('json')), 200),
  );
}

function followRoutes(api: OpenAPIHono, operations: RegionOperations, every: Every): void {
  const page = { after: count.optional(), limit: count.max(10_000).optional(), follow: flag.optional() };
  api.openapi(
    createRoute({
      method: 'get',
      path: '/events',
      request: { query: z.object(page) },
      responses: lines(schema.regionEvent, 'Events, oldest first'),
    }),
    async context => {
      const query = withoutUndefined(context.req.valid('query'));
      return streamLines(context, signal => operations.events(query, signal), every);
    },
  );
  api.openapi(
    createRoute({
      method: 'get',
      path: '/logs',
      request: {
        query: z.object({
          ...page,
          group: z.string().optional(),
          stream: z.string().optional(),
          contains: z.string().optional(),
          since: count.optional(),
        }),
      },
      responses: lines(schema.logEvent, 'Log events, oldest first'),
    }),
    async context => {
      const query = withoutUndefined(context.req.valid('query'));
      return streamLines(context, signal => operations.logs(query, signal), every);
    },
  );
}

/** Typed `never` because hono has no type for a streamed body and takes that for any declared response. */
function streamLines(
  context: Context,
  read: (signal: AbortSignal) => AsyncIterable<unknown>,
  every: Every,
): never {
  const ended = new AbortController();
  // Asked before anything is answered, so that a refusal is told as one.
  const items = read(ended.signal);
  context.header('content-type', 'application/x-ndjson');
  return stream(context, async output => {
    output.onAbort(() => ended.abort());
    const stopKeepAlive = every(KEEP_ALIVE_MS, () => void output.write('\n'));
    try {
      // Headers go out now, not with the first line: a follower of a quiet log must know that it is connected.
      await output.write('\n');
      for await (const item of items) await output.write(`${JSON.stringify(item)}\n`);
    } finally {
      stopKeepAlive();
    }
  }) as never;
}

function answerError(context: Context, error: unknown) {
  const known = error instanceof TandemError;
  const code = known ? error.code : 'INTERNAL';
  const kind = known ? error.kind : 'system';
  const data = known ? error.data : {};
  return context.json({ error: { code, message: errorMessage(error), kind, data } }, statusFor(code, kind));
}

function statusFor(code: string, kind: string) {
  if (code.endsWith('_UNKNOWN')) return 404;
  if (code === 'REQUEST_INVALID') return 400;
  if (code === 'REQUEST_TOO_LARGE') return 413;
  return kind === 'user' ? 409 : 500;
}

function withoutUndefined<Query extends object>(
  query: Query,
): { [Key in keyof Query]: Exclude<Query[Key], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Query]: Exclude<Query[Key], undefined>;
  };
}
