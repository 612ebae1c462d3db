import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterEach, describe, expect, test } from 'vitest';
import { TandemError } from '../core/error.ts';
import type { RegionOperations } from '../model/cloud.ts';
import type { RegionEvent } from '../model/event.ts';
import type { Execution } from '../model/execution.ts';
import { createRegionApi } from './region-api.ts';
import { createRegionClient } from './region-client.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(server => {
      const closed = new Promise(resolve => server.close(resolve));
      server.closeAllConnections();
      return closed;
    }),
  );
});

describe('the region API and its client', () => {
  test('carry an execution both ways unchanged', async () => {
    const client = await served({ execution: async id => anExecution({ id }) });
    expect(await client.execution('0c1d')).toEqual(anExecution({ id: '0c1d' }));
  });

  test('pass the decision of an approval on', async () => {
    const asked: unknown[] = [];
    const client = await served({
      approve: async request => {
        asked.push(request);
        return anExecution({});
      },
    });
    await client.approve({ executionId: 'a/b', by: 'ann', comment: 'looks good' });
    expect(asked).toEqual([{ executionId: 'a/b', by: 'ann', comment: 'looks good' }]);
  });

  test('an error arrives with the code, message and data that it was thrown with', async () => {
    const client = await served({
      retry: async () => {
        throw new TandemError('RETRY_IMPOSSIBLE', 'It runs already.', { data: { status: 'InProgress' } });
      },
    });
    const error: unknown = await client.retry('abcd', 'ann').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'RETRY_IMPOSSIBLE',
      message: 'It runs already.',
      data: { status: 'InProgress' },
    });
  });

  test('a refusal to stream arrives as one', async () => {
    const client = await served({
      logs: () => {
        throw new TandemError('ACCESS_LOGS_OFF', 'None is kept.');
      },
    });
    await expect(client.logs({ group: 'balancer' })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ACCESS_LOGS_OFF',
      message: 'None is kept.',
    });
  });

  test('a request that does not fit the schema is refused with the key at fault', async () => {
    const client = await served({});
    await expect(client.rollback({ to: 'ab', by: 'ann' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('to:') as string,
    });
  });

  test.each([true, false])(
    'a body beyond a mebibyte is refused, its length told (%s) or not',
    async isTold => {
      const asked: unknown[] = [];
      const url = await servedAt({
        rollback: async wanted => {
          asked.push(wanted);
          return anExecution({});
        },
      });
      const piece = Buffer.alloc(65_536, 'x');
      let sent = 0;
      const outgoing = request(`${url}/api/rollback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(isTold && { 'content-length': '1000000000' }) },
      });
      outgoing.on('error', () => undefined);
      const answered = new Promise<number | undefined>(resolve =>
        outgoing.once('response', ({ statusCode }) => resolve(statusCode)),
      );
      const send = () => {
        while (sent < 1_000_000_000 && !outgoing.destroyed) {
          sent += piece.length;
          if (!outgoing.write(piece)) return outgoing.once('drain', send);
        }
        return undefined;
      };
      send();
      expect(await answered).toBe(413);
      outgoing.destroy();
      expect(asked).toEqual([]);
    },
  );

  test('followed events arrive as they happen, until the follower leaves', async () => {
    const second = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const client = await served({
      events: async function* events(query, signal) {
        expect(query).toEqual({ follow: true, limit: 5 });
        signal?.addEventListener('abort', () => left.resolve());
        yield anEvent(1);
        await second.promise;
        yield anEvent(2);
        await left.promise;
      },
    });
    const leaving = new AbortController();
    const seen: number[] = [];
    for await (const event of client.events({ follow: true, limit: 5 }, leaving.signal)) {
      seen.push(event.sequence);
      if (event.sequence === 1) second.resolve();
      else leaving.abort();
    }
    await left.promise;
    expect(seen).toEqual([1, 2]);
  });

  test('a region that does not answer is unreachable, not failed', async () => {
    const client = createRegionClient('us-east-1', 'http://127.0.0.1:1');
    await expect(client.status()).rejects.toMatchObject({ code: 'REGION_UNREACHABLE', kind: 'system' });
  });

  test('a region that takes the connection and says nothing is unreachable, too', async () => {
    const silent = createServer(() => undefined);
    servers.push(silent);
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const limits = { questionMs: 20, deedMs: 20 };
    const client = createRegionClient('us-east-1', `http://127.0.0.1:${port}`, limits);
    const tooLong = {
      code: 'REGION_UNREACHABLE',
      message: expect.stringContaining('aborted due to timeout') as string,
    };
    await expect(client.status()).rejects.toMatchObject(tooLong);
    await expect(client.retry('0c1d', 'ada')).rejects.toMatchObject(tooLong);
  });

  test('a region that dies in the middle of a stream is unreachable', async () => {
    const client = await served({
      events: async function* events() {
        yield anEvent(1);
        servers.at(-1)!.closeAllConnections();
        await new Promise(() => undefined);
      },
    });
    const read = async () => {
      for await (const event of client.events({ follow: true })) expect(event.sequence).toBe(1);
    };
    await expect(read()).rejects.toMatchObject({ code: 'REGION_UNREACHABLE' });
  });

  test('shows at its address who it is and what waits', async () => {
    const waiting = anExecution({
      status: 'Waiting',
      stage: 'Approval',
      waiting: { for: 'a person' },
      startedAt: 1_000,
    });
    await served({
      status: async () => ({
        region: 'us-east-1',
        health: 'healthy',
        problems: [],
        endpoint: 'http://127.0.1.1:8000',
        gitUrl: 'http://127.0.1.1:8000/git/shop.git',
        branch: 'main',
        services: [],
        execution: waiting,
        replication: [],
      }),
    });
    const { port } = servers[0]!.address() as AddressInfo;
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(page).toContain('region us-east-1: healthy');
    expect(page).toContain('#1 0c1d2e3f Waiting in Approval: aaaaaaa First, 1 min ago');
    expect(page).toContain('waits for a person');
  });

  test('describes itself', async () => {
    await served({});
    const { port } = servers[0]!.address() as AddressInfo;
    const description = (await (await fetch(`http://127.0.0.1:${port}/api/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    expect(Object.keys(description.paths)).toContain('/api/executions/{id}/approve');
  });
});

async function served(operations: Partial<RegionOperations>) {
  return createRegionClient('us-east-1', await servedAt(operations));
}

async function servedAt(operations: Partial<RegionOperations>): Promise<string> {
  const every = (periodMs: number, callback: () => void) => {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  };
  const listener = getRequestListener(
    createRegionApi({ operations: operations as RegionOperations, now: () => 61_000, every }).fetch,
  );
  const server = createServer((request, response) => void listener(request, response));
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function anExecution(fields: Partial<Execution>): Execution {
  return {
    id: '0c1d2e3f',
    number: 1,
    region: 'us-east-1',
    trigger: { kind: 'push', by: 'Ann', ref: 'refs/heads/main' },
    commit: {
      id: 'a'.repeat(40),
      subject: 'First',
      author: { name: 'Ann', email: 'ann@example.com' },
      authoredAt: 1,
    },
    status: 'InProgress',
    stage: 'Build',
    stages: [{ name: 'Source', status: 'Succeeded', attempt: 1, startedAt: 1, endedAt: 2 }],
    startedAt: 1,
    ...fields,
  };
}

function anEvent(sequence: number): RegionEvent {
  return {
    sequence,
    at: 1,
    region: 'us-east-1',
    source: 'pipeline',
    type: 'X',
    severity: 'info',
    message: 'x',
    data: {},
  };
}
