import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awsJson, bytesOf } from './aws-json.ts';
import { startMoto } from './moto.ts';

export interface Between extends AsyncDisposable {
  endpoint: string;
  /** What an action answers instead of moto; times as AWS's JSON has them, in seconds. */
  answer(action: string, body: object): void;
  /** S3 has no actions: `HEAD /bucket`. */
  refuse(...actions: string[]): void;
  cutOff(region: string): void;
  reset(): void;
}

/** moto, and what stands between it and the SDK, which is sent there until all of it ends. */
export async function openAnsweringAws(): Promise<Between> {
  const moto = await startMoto();
  const between = await standBetween(moto.endpoint);
  const earlier = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: between.endpoint,
    AWS_ACCESS_KEY_ID: 'emulated',
    AWS_SECRET_ACCESS_KEY: 'emulated',
  });
  return {
    ...between,
    async [Symbol.asyncDispose]() {
      process.env = earlier;
      await between[Symbol.asyncDispose]();
      await moto[Symbol.asyncDispose]();
    },
  };
}

/** Between the SDK and moto: answers what moto cannot play, refuses, and cuts off. */
async function standBetween(endpoint: string): Promise<Between> {
  const answers = new Map<string, string>();
  const refused = new Set<string>();
  const gone = new Set<string>();
  const reset = () => {
    answers.clear();
    refused.clear();
    gone.clear();
    // moto has neither builds that ran nor a state of pipelines.
    answers.set('ListBuildsForProject', '{"ids":[]}').set('GetPipelineState', '{"stageStates":[]}');
  };
  reset();
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await bytesOf(incoming);
      const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(incoming.headers.authorization ?? '')?.[1];
      const target = String(incoming.headers['x-amz-target'] ?? '').split('.')[1];
      const { method, headers, url = '/' } = incoming;
      const action =
        target ?? new URLSearchParams(body.toString()).get('Action') ?? `${method} ${pathOf(url)}`;
      const answer = answers.get(action);
      if (gone.has(region ?? '')) outgoing.destroy();
      else if (refused.has(action)) {
        const isJson = target !== undefined;
        outgoing.writeHead(403, { 'content-type': isJson ? 'application/x-amz-json-1.1' : 'text/xml' });
        outgoing.end(isJson ? refusal.json : refusal.xml);
      } else if (answer !== undefined) {
        outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(answer);
      } else {
        const forwarded = request(new URL(url, endpoint), { method, headers }).end(body);
        const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
        outgoing.writeHead(response.statusCode!, response.headers);
        response.pipe(outgoing);
      }
    })().catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (action, body) => void answers.set(action, awsJson(body)),
    refuse: (...actions) => actions.forEach(action => refused.add(action)),
    cutOff: region => void gone.add(region),
    reset,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function pathOf(url: string): string {
  return url.replace(/\?.*$/, '').replace(/(?<=.)\/$/, '');
}

const refusal = {
  json: '{"__type":"AccessDeniedException","message":"User is not authorized"}',
  xml:
    '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User is not authorized</Message></Error>' +
    '<RequestId>1</RequestId></ErrorResponse>',
};
