import type { StackPlan } from '../../model/infrastructure.ts';
import { blocksOf, plannedResources, type PlannedResource } from './planned-resources.ts';

/** Virtual CPUs by what Fargate counts them as. */
export interface FargateCpus {
  onDemand: number;
  spot: number;
}

export interface FargateDemand {
  /** While one release replaces another, when tasks of both run. */
  height: FargateCpus;
  /** By the tasks that run before. */
  own: FargateCpus;
}

/** Changes of these start other tasks: at once, or with the next release. */
const STARTING: readonly string[] = ['aws_ecs_service', 'aws_ecs_task_definition'];

/**
 * The virtual CPUs of the services of one stack, if its plan changes anything about them; else nothing, for what already
 * runs is no reason to refuse another change. Of a service that exists the number of tasks is autoscaling's, as it was
 * found; of a new one, the configuration's.
 */
export function fargateDemand(plan: StackPlan): FargateDemand | undefined {
  const starts = plan.changes.some(
    ({ type, action }) => STARTING.includes(type) && action !== 'delete' && action !== 'forget',
  );
  if (!starts) return undefined;
  return {
    height: cpusOf(plannedResources(plan), tasksAtHeight),
    own: cpusOf(plan.existing, tasksOf),
  };
}

type Values = PlannedResource['values'];

/** Each stack has one task definition, that of its services. */
function cpusOf(resources: readonly PlannedResource[], countOf: (service: Values) => number): FargateCpus {
  const definition = resources.find(({ type }) => type === 'aws_ecs_task_definition');
  const cpus = Number(definition?.values['cpu'] ?? 0) / 1024;
  const total: FargateCpus = { onDemand: 0, spot: 0 };
  for (const { values } of resources.filter(({ type }) => type === 'aws_ecs_service')) {
    const tasks = countOf(values);
    const spot = tasks * spotShare(values);
    total.onDemand += (tasks - spot) * cpus;
    total.spot += spot * cpus;
  }
  return total;
}

function tasksOf(service: Values): number {
  return Number(service['desired_count'] ?? 0);
}

/** ECS rounds down what a rolling deployment may have; every other strategy runs all tasks of both releases. */
function tasksAtHeight(service: Values): number {
  const [{ strategy = 'ROLLING' } = {}] = blocksOf(service['deployment_configuration']);
  const percent = strategy === 'ROLLING' ? Number(service['deployment_maximum_percent'] ?? 200) : 200;
  return Math.floor((tasksOf(service) * percent) / 100);
}

/** Tasks beyond each provider's base are spread by weight. */
function spotShare(service: Values): number {
  const providers = blocksOf(service['capacity_provider_strategy']).map(provider => ({
    isSpot: provider['capacity_provider'] === 'FARGATE_SPOT',
    base: Number(provider['base'] ?? 0),
    weight: Number(provider['weight'] ?? 0),
  }));
  const tasks = tasksOf(service);
  const spot = providers.filter(({ isSpot }) => isSpot);
  if (tasks === 0 || spot.length === 0) return 0;
  const based = Math.min(tasks, sum(providers.map(({ base }) => base)));
  const weight = sum(providers.map(provider => provider.weight));
  const spread = weight === 0 ? 0 : ((tasks - based) * sum(spot.map(provider => provider.weight))) / weight;
  return (Math.min(based, sum(spot.map(({ base }) => base))) + spread) / tasks;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
