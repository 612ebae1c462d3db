import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import { DeliveryRegion, Refusal, type Run } from './delivery-region.ts';
import { awsJson, bytesOf } from './aws-json.ts';

/**
 * AWS as the commands meet it, over HTTP: CodePipeline, ECS's service deployments, builds and commits as `DeliveryRegion`
 * plays them, everything else as moto does; and the faults of the way there.
 */
export interface DeliveryDouble extends AsyncDisposable {
  endpoint: string;
  regions: ReadonlyMap<string, DeliveryRegion>;
  region(name: string): DeliveryRegion;
  /** Actions, as `codepipeline:GetPipelineState`, that were asked for. */
  asked: Set<string>;
  /** Answers these actions with a refusal. */
  refuse(...actions: string[]): void;
  /** Answers the next so many calls of an action with ThrottlingException. */
  throttle(action: string, times: number): void;
  cutOff(region: string): void;
  /** Takes no credentials any more. */
  expire(): void;
  /** The most items of one answer. */
  pageSize: number;
  mend(): void;
}

type Request = Record<string, unknown>;
type Answer = (region: DeliveryRegion, asked: Request) => Promise<object> | object;

export async function startDeliveryDouble(
  motoEndpoint: string,
  names: readonly string[],
  folder: string,
): Promise<DeliveryDouble> {
  const regions = new Map(
    names.map(name => {
      const repository = join(folder, `${name}.git`);
      execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
      return [name, new DeliveryRegion({ region: name, endpoint: motoEndpoint }, repository)];
    }),
  );
  const refused = new Set<string>();
  const throttled = new Map<string, number>();
  const gone = new Set<string>();
  let isExpired = false;
  const replicate = async () => {
    for (const from of regions.values()) {
      for (const to of regions.values()) {
        if (from === to || from.head() === to.head()) continue;
        // The one that is behind has nothing new for the other.
        spawnSync('git', ['push', '--quiet', to.repository, '--all'], { cwd: from.repository });
      }
    }
  };
  const double: DeliveryDouble = {
    endpoint: '',
    regions,
    region: name => regions.get(name)!,
    asked: new Set(),
    refuse: (...actions) => actions.forEach(action => refused.add(action)),
    throttle: (action, times) => void throttled.set(action, times),
    cutOff: region => void gone.add(region),
    expire: () => {
      isExpired = true;
    },
    pageSize: 100,
    mend: () => {
      refused.clear();
      throttled.clear();
      gone.clear();
      isExpired = false;
      double.pageSize = 100;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(500).end(String(error));
    });
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    const [, name = '', service = ''] =
      /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(incoming.headers.authorization ?? '') ?? [];
    const target = String(incoming.headers['x-amz-target'] ?? '').split('.')[1];
    const action = target ?? new URLSearchParams(body.toString()).get('Action') ?? '';
    if (gone.has(name)) return void outgoing.destroy();
    double.asked.add(`${service}:${action}`);
    const left = throttled.get(action) ?? 0;
    if (left > 0) throttled.set(action, left - 1);
    if (isExpired) return fail(outgoing, 'ExpiredTokenException', 'The security token has expired');
    if (left > 0) return fail(outgoing, 'ThrottlingException', 'Rate exceeded');
    if (refused.has(action)) return fail(outgoing, 'AccessDeniedException', 'User is not authorized', 403);
    const region = regions.get(name);
    const answer = ANSWERS[action];
    if (region === undefined || answer === undefined) return forward(incoming, outgoing, body);
    try {
      if (action.includes('Pipeline') || action.includes('Action')) {
        await region.takePush();
        await replicate();
      }
      const asked = JSON.parse(body.toString()) as Request;
      const reply = await answer(region, { ...asked, mostItems: double.pageSize });
      if (action === 'UpdateService') return await forward(incoming, outgoing, body);
      outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(awsJson(reply));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(outgoing, error.name, error.message);
    }
  }

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer): Promise<void> {
    const { method, headers, url = '/' } = incoming;
    const forwarded = request(new URL(url, motoEndpoint), { method, headers }).end(body);
    const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
    outgoing.writeHead(response.statusCode!, response.headers);
    response.pipe(outgoing);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  double.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return double;
}

const ANSWERS: Record<string, Answer> = {
  GetPipeline: region => region.definition(),
  GetPipelineState: region => region.state(),
  ListPipelineExecutions: (region, { maxResults, nextToken, mostItems }) => {
    const { items, token } = page(region.runs, { maxResults, nextToken, mostItems });
    return { pipelineExecutionSummaries: items.map(({ summary }) => summary), nextToken: token };
  },
  ListActionExecutions: (region, { filter, maxResults, nextToken, mostItems }) => {
    const id = (filter as { pipelineExecutionId?: string } | undefined)?.pipelineExecutionId;
    const actions = region.runs
      .filter(({ summary }) => id === undefined || summary.pipelineExecutionId === id)
      .flatMap((run: Run) => run.actions)
      .toSorted((one, other) => other.startTime!.getTime() - one.startTime!.getTime());
    const { items, token } = page(actions, { maxResults, nextToken, mostItems });
    return { actionExecutionDetails: items, nextToken: token };
  },
  async PutApprovalResult(region, { actionName, token, result }) {
    const { status, summary } = result as { status: string; summary: string };
    await region.answer({ actionName: actionName as string, token: token as string, status, summary });
    return { approvedAt: new Date() };
  },
  async RetryStageExecution(region, { pipelineExecutionId, stageName }) {
    await region.retry(pipelineExecutionId as string, stageName as string);
    return { pipelineExecutionId };
  },
  async StopPipelineExecution(region, { pipelineExecutionId, abandon, reason }) {
    await region.stop(pipelineExecutionId as string, { abandon: abandon === true, reason: String(reason) });
    return { pipelineExecutionId };
  },
  async RollbackStage(region, { targetPipelineExecutionId }) {
    return { pipelineExecutionId: await region.rollBackTo(targetPipelineExecutionId as string) };
  },
  ListServiceDeployments: (region, { service }) => ({
    serviceDeployments: (region.releases.deployments.get(service as string) ?? []).map(
      ({ targetServiceRevision, ...deployment }) => ({
        ...deployment,
        targetServiceRevisionArn: targetServiceRevision?.arn,
      }),
    ),
  }),
  DescribeServiceDeployments: (region, { serviceDeploymentArns }) => ({
    serviceDeployments: [...region.releases.deployments.values()]
      .flat()
      .filter(({ serviceDeploymentArn }: ServiceDeployment) =>
        (serviceDeploymentArns as string[]).includes(serviceDeploymentArn!),
      ),
  }),
  DescribeServiceRevisions: (region, { serviceRevisionArns }) => ({
    serviceRevisions: (serviceRevisionArns as string[]).map(serviceRevisionArn => ({
      serviceRevisionArn,
      taskDefinition: region.releases.revisions.get(serviceRevisionArn),
    })),
  }),
  StopServiceDeployment: (region, { serviceDeploymentArn }) => {
    region.releases.stop(serviceDeploymentArn as string);
    return { serviceDeploymentArn };
  },
  UpdateService: (region, { service, forceNewDeployment }) => {
    if (forceNewDeployment === true) region.releases.again(service as string);
    return {};
  },
  StopBuild: (region, { id }) => {
    region.stoppedBuilds.push(id as string);
    return {};
  },
  StartBuild: (region, asked) => {
    region.startedBuilds.push(asked);
    return {};
  },
  GetRepository: region => ({ repositoryMetadata: { cloneUrlHttp: region.repository } }),
  BatchGetCommits: (region, { commitIds }) => ({
    commits: (commitIds as string[]).map(commitId => {
      const format = '--format=%an%x00%ae%x00%ad%x00%B';
      const options = { cwd: region.repository, encoding: 'utf8' } as const;
      const text = execFileSync('git', ['log', '-1', '--date=raw', format, commitId], options);
      const [name, email, date, message] = text.split('\0');
      return { commitId, message, author: { name, email, date } };
    }),
  }),
};

function page<Item>(
  all: readonly Item[],
  asked: { maxResults: unknown; nextToken: unknown; mostItems: unknown },
): { items: Item[]; token: string | undefined } {
  const from = Number(asked.nextToken ?? 0);
  const to = from + Math.min(Number(asked.maxResults ?? 100), Number(asked.mostItems));
  return { items: all.slice(from, to), token: to < all.length ? String(to) : undefined };
}

function fail(outgoing: ServerResponse, name: string, message: string, status = 400): void {
  outgoing
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': name })
    .end(JSON.stringify({ __type: name, message }));
}
