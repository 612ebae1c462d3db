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
  /** While autoscaling has as many tasks as it may. */
  ceiling: FargateCpus;
  /** Whether the plan has to do with any of this. */
  isChanged: boolean;
}

/** Changes of these start other tasks: at once, or with the next release. */
const STARTING: readonly string[] = ['aws_ecs_service', 'aws_ecs_task_definition'];
/** Changes of these let more tasks start later. */
const SCALING: readonly string[] = ['aws_appautoscaling_target', 'aws_appautoscaling_scheduled_action'];

/**
 * The virtual CPUs of the services of one stack. If its plan starts no other tasks, its height is what runs already, for
 * that is no reason to refuse another change. Of a service that exists the number of tasks is autoscaling's, as it was found;
 * of a new one, the configuration's.
 */
export function fargateDemand(plan: StackPlan): FargateDemand {
  const planned = plannedResources(plan);
  const own = cpusOf(plan.existing, tasksOf);
  const startsTasks = changesAny(plan, STARTING);
  return {
    height: startsTasks ? cpusOf(planned, tasksAtHeight) : own,
    own,
    ceiling: cpusOf(atMaximum(planned), tasksOf),
    isChanged: startsTasks || changesAny(plan, SCALING),
  };
}

function changesAny(plan: StackPlan, types: readonly string[]): boolean {
  return plan.changes.some(
    ({ type, action }) => types.includes(type) && action !== 'delete' && action !== 'forget',
  );
}

/** With the most tasks that any limit lets a service have: schedules move the limits. */
function atMaximum(resources: readonly PlannedResource[]): PlannedResource[] {
  const limits = resources
    .filter(({ type }) => SCALING.includes(type))
    .flatMap(({ values }) => [values, ...blocksOf(values['scalable_target_action'])])
    .map(limit => Number(limit['max_capacity'] ?? 0));
  return resources.map(resource => {
    if (resource.type !== 'aws_ecs_service') return resource;
    const { values } = resource;
    return { ...resource, values: { ...values, desired_count: Math.max(tasksOf(values), ...limits) } };
  });
}

type Values = PlannedResource['values'];

/** Each stack has one task definition, that of its service. */
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
