import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import { stepOf, waitMinutes } from '../../model/config/sections/deployment.ts';
import type { Environment } from '../../model/names.ts';
import type { EcsDeploymentInput } from './modules/ecs-deployment.ts';

/** How an environment's deployments go on AWS: what ECS does by itself, and what the release does at its pauses. */
export interface DeploymentPlan {
  ecs: EcsDeploymentInput;
  /** Shares of requests, in per cent, at which the release waits. ECS waits by itself at all others. */
  steps: { percent: number; minutes: number }[];
  /** The share at which a person is asked. */
  gatePercent?: number;
  /** All that is waited for on purpose, for as long as it may take, a person's answer left out. */
  waitMinutes: number;
}

/** A pause is rolled back when nobody continues it for so long beyond what was planned: the release is gone. */
const LOST_AFTER_MINUTES = 60;
/** ECS: no stage of a deployment lasts longer than a day. */
const LONGEST_PAUSE_MINUTES = 24 * 60;

export function deploymentPlan(config: Config, environment: Environment): DeploymentPlan {
  const { deployment } = environmentConfig(config, environment);
  return { ...shiftsOf(deployment, environment), waitMinutes: waitMinutes(deployment) };
}

function shiftsOf(
  deployment: Config['deployment'],
  environment: Environment,
): Omit<DeploymentPlan, 'waitMinutes'> {
  const { strategy, canary, linear, gate, samples, bakeTimeMinutes } = deployment;
  const bake = Math.ceil(bakeTimeMinutes);
  const isGated = gate.required && environment === 'production';
  const sampleMinutes = samples.minimumRequests === 0 ? 0 : samples.withinMinutes;
  const pause = (longestMinutes: number) => ({
    pause: {
      timeoutMinutes: Math.min(
        LONGEST_PAUSE_MINUTES,
        Math.max(longestMinutes + sampleMinutes, isGated ? gate.expiresAfterMinutes : 0) + LOST_AFTER_MINUTES,
      ),
    },
  });
  const paused = isGated || (sampleMinutes > 0 && strategy !== 'blue-green') ? pause(0) : {};
  switch (strategy) {
    case 'canary': {
      const [first] = canary.steps;
      const gated = isGated && { gatePercent: first!.percent };
      const waits = canary.steps.map(step => step.bakeTimeMinutes);
      if (canary.steps.length === 1) {
        const { percent, bakeTimeMinutes: stepBakeTimeMinutes } = first!;
        return {
          ecs: { strategy, percent, stepBakeTimeMinutes, bakeTimeMinutes: bake, ...paused },
          steps: [],
          ...gated,
        };
      }
      return {
        ecs: {
          strategy: 'linear',
          stepPercent: stepOf(canary.steps),
          stepBakeTimeMinutes: 0,
          bakeTimeMinutes: bake,
          ...pause(Math.max(...waits)),
        },
        steps: canary.steps.map(step => ({ percent: step.percent, minutes: step.bakeTimeMinutes })),
        ...gated,
      };
    }
    case 'linear': {
      const { stepPercent, stepBakeTimeMinutes } = linear;
      return {
        ecs: { strategy, stepPercent, stepBakeTimeMinutes, bakeTimeMinutes: bake, ...paused },
        steps: [],
        ...(isGated && { gatePercent: stepPercent }),
      };
    }
    case 'blue-green':
      return {
        ecs: { strategy, bakeTimeMinutes: bake, ...paused },
        steps: [],
        ...(isGated && { gatePercent: 0 }),
      };
    case 'rolling':
    default:
      return { ecs: { strategy: 'rolling', bakeTimeMinutes: bake }, steps: [] };
  }
}
