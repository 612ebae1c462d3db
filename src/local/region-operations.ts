import { TandemError } from '../core/error.ts';
import type { LogQuery, RegionOperations } from '../model/cloud.ts';
import { shownExecution } from '../model/execution.ts';
import { PIPELINE_ENVIRONMENTS } from '../model/names.ts';
import type { RegionStatus } from '../model/status.ts';
import type { Balancer } from './balancer/contract.ts';
import type { Compute } from './compute/contract.ts';
import type { ServiceContext } from './context.ts';
import type { Pipeline } from './pipeline/contract.ts';
import type { Repository } from './repository/contract.ts';

export interface RegionServices {
  repository: Repository;
  compute: Compute;
  balancer: Balancer;
  pipeline: Pipeline;
}

/** How many executions are looked through for one that has not ended. */
const RECENT_EXECUTIONS = 50;

/** What a region answers, put together from its services. */
export function createRegionOperations(
  context: Pick<ServiceContext, 'region' | 'config' | 'endpoint' | 'events' | 'logs'>,
  services: RegionServices,
): RegionOperations {
  const { repository, compute, balancer, pipeline } = services;
  return {
    status: async () => status(),
    executions: async ({ limit }) => pipeline.executions(limit ?? 20),
    execution: async id => pipeline.execution(id),
    approve: async request => pipeline.approve(request),
    reject: async request => pipeline.reject(request),
    retry: async (executionId, by) => pipeline.retry(executionId, by),
    stop: async (executionId, options) => pipeline.stopExecution(executionId, options),
    rollback: async request => pipeline.rollback(request),
    releases: async () => pipeline.releases(),
    restart: async service => compute.restart(service),
    scale: async (service, desiredCount) => compute.scale(service, desiredCount),
    events: (query, signal) => context.events.read(query, signal),
    logs: (query, signal) => {
      requireLog(query);
      return context.logs.read(query, signal);
    },
  };

  /** Throws ACCESS_LOGS_OFF where the load balancer's log is asked for and there is none. */
  function requireLog({ group }: LogQuery): void {
    if (group !== 'balancer' || context.config.logs.accessLogs) return;
    throw new TandemError(
      'ACCESS_LOGS_OFF',
      `the load balancer in ${context.region} keeps no log of requests: set \`logs.accessLogs\` to true, and \`tandem up\`; ` +
        'what comes in from then on is logged',
      { data: { region: context.region } },
    );
  }

  function status(): RegionStatus {
    const replication = repository.replication();
    const execution = shownExecution(pipeline.executions(RECENT_EXECUTIONS));
    const problems = [
      ...(balancer.state() === undefined
        ? ['the load balancer does not answer; it is being started again']
        : []),
      ...replication
        .filter(({ state }) => state === 'split')
        .flatMap(({ message, peer }) => message?.split('\n') ?? `split from ${peer}`),
    ];
    return {
      region: context.region,
      health: problems.length === 0 ? 'healthy' : 'degraded',
      problems,
      endpoint: context.endpoint,
      gitUrl: `${context.endpoint}/git/${context.config.application}.git`,
      branch: context.config.pipeline.branch,
      services: PIPELINE_ENVIRONMENTS.map(name => compute.service(name)),
      ...(execution === undefined ? {} : { execution }),
      replication,
    };
  }
}
