import { HOURS_A_MONTH, UnknownPrice, type Account, type Charge, type Rule } from '../account.ts';
import { averageMinimum } from '../average-minimum.ts';
import { first, listOf, numberOf, textOf, type Resource } from '../resource.ts';
import type { PriceId } from '../price-table.ts';

const FREE_STORAGE_GB = 20;

/**
 * The tasks of a service. Autoscaling brings their number down to the minimum whenever the load allows, so that is what
 * runs, over its scheduled changes on average, and what `usage.extraTasks` adds in production.
 */
const service: Rule = (resource, account) => {
  const definition = account.referredTo(resource, 'aws_ecs_task_definition');
  if (!definition) throw new UnknownPrice('its task definition is not among what is estimated');
  const cpu = numberOf(definition.values['cpu'], 0) / 1024;
  const memoryGb = numberOf(definition.values['memory'], 0) / 1024;
  const storageGb = numberOf(first(definition.values['ephemeral_storage'])['size_in_gib'], 0);
  const isArm = first(definition.values['runtime_platform'])['cpu_architecture'] === 'ARM64';
  const tasks = tasksOf(resource, account);
  const spot = spotTasks(resource, tasks);
  return [
    ...taskCharges('Fargate', tasks - spot, { cpu, memoryGb }, isArm ? ARM : INTEL),
    ...taskCharges('Fargate Spot', spot, { cpu, memoryGb }, isArm ? ARM_SPOT : INTEL_SPOT),
    ...charge('Fargate storage', 'fargateStorage', {
      quantity: Math.max(0, storageGb - FREE_STORAGE_GB) * tasks * HOURS_A_MONTH,
    }),
  ];
};

interface TaskPrices {
  cpu: PriceId;
  memory: PriceId;
}

const INTEL: TaskPrices = { cpu: 'fargateCpu', memory: 'fargateMemory' };
const ARM: TaskPrices = { cpu: 'fargateArmCpu', memory: 'fargateArmMemory' };
const INTEL_SPOT: TaskPrices = { cpu: 'fargateSpotCpu', memory: 'fargateSpotMemory' };
const ARM_SPOT: TaskPrices = { cpu: 'fargateArmSpotCpu', memory: 'fargateArmSpotMemory' };

function taskCharges(
  item: string,
  tasks: number,
  { cpu, memoryGb }: { cpu: number; memoryGb: number },
  prices: TaskPrices,
): Charge[] {
  return [
    ...charge(`${item} CPU`, prices.cpu, { quantity: tasks * cpu * HOURS_A_MONTH }),
    ...charge(`${item} memory`, prices.memory, { quantity: tasks * memoryGb * HOURS_A_MONTH }),
  ];
}

function charge(item: string, price: PriceId, { quantity }: { quantity: number }): Charge[] {
  return quantity > 0 ? [{ item, price, quantity }] : [];
}

function tasksOf(resource: Resource, account: Account): number {
  const extra = resource.environment === 'production' ? account.usage.extraTasks : 0;
  const target = account.referring(resource, 'aws_appautoscaling_target')[0];
  if (!target) return numberOf(resource.values['desired_count'], 1) + extra;
  const minimum = averageMinimum(
    numberOf(target.values['min_capacity'], 1),
    account.referring(target, 'aws_appautoscaling_scheduled_action').map(({ values }) => ({
      schedule: textOf(values['schedule']),
      minimum: numberOf(first(values['scalable_target_action'])['min_capacity'], 0),
    })),
  );
  return Math.min(minimum + extra, numberOf(target.values['max_capacity'], Infinity));
}

/** Tasks beyond each provider's base are spread by weight. */
function spotTasks(resource: Resource, tasks: number): number {
  const providers = listOf(resource.values['capacity_provider_strategy']).map(provider => ({
    isSpot: provider['capacity_provider'] === 'FARGATE_SPOT',
    base: numberOf(provider['base'], 0),
    weight: numberOf(provider['weight'], 0),
  }));
  const total = sum(providers.map(({ weight }) => weight));
  const based = Math.min(tasks, sum(providers.map(({ base }) => base)));
  const spot = providers.filter(({ isSpot }) => isSpot);
  const spotBase = Math.min(based, sum(spot.map(({ base }) => base)));
  return total === 0
    ? spotBase
    : spotBase + ((tasks - based) * sum(spot.map(({ weight }) => weight))) / total;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Target tracking makes an alarm for adding and one for removing tasks (Application Auto Scaling user guide). */
const scalingPolicy: Rule = () => [{ item: 'autoscaling alarms', price: 'alarm', quantity: 2 }];

/** A call of these functions follows a push, a deployment or an alarm: they run some times a day, for seconds. */
const CALLS_PER_BUILD = 10;
const CALL_SECONDS = 10;

const functionRule: Rule = ({ values }, { usage }) => {
  const calls = usage.builds * CALLS_PER_BUILD;
  const memoryGb = numberOf(values['memory_size'], 128) / 1024;
  return [
    { item: 'calls', price: 'functionCalls', quantity: calls / 1e6 },
    { item: 'run time', price: 'functionTime', quantity: calls * CALL_SECONDS * memoryGb },
  ];
};

export const computeRules: Readonly<Record<string, Rule>> = {
  aws_ecs_service: service,
  aws_appautoscaling_policy: scalingPolicy,
  aws_lambda_function: functionRule,
};
