import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { configSchema, type ConfigInput } from '../../model/config/schema.ts';
import { deploymentPlan } from './deployment-plan.ts';

const planOf = (
  deployment: ConfigInput['deployment'],
  environment: 'staging' | 'production' = 'production',
) => deploymentPlan(configSchema.parse({ application: 'storefront', deployment }), environment);

test('the default canary is equal steps of ten per cent, with waits at ten and fifty', () => {
  expect(planOf({ strategy: 'canary' })).toEqual({
    ecs: {
      strategy: 'linear',
      stepPercent: 10,
      stepBakeTimeMinutes: 0,
      bakeTimeMinutes: 5,
      pause: { timeoutMinutes: 85 },
    },
    steps: [
      { percent: 10, minutes: 10 },
      { percent: 50, minutes: 10 },
    ],
    waitMinutes: 55,
  });
});

test('a canary of one step is ECS’s own, with a pause to see that enough requests came', () => {
  const canary = { steps: [{ percent: 20, bakeTimeMinutes: 15 }] };
  const ecs = { strategy: 'canary', percent: 20, stepBakeTimeMinutes: 15, bakeTimeMinutes: 5 };
  expect(planOf({ strategy: 'canary', canary })).toEqual({
    ecs: { ...ecs, pause: { timeoutMinutes: 75 } },
    steps: [],
    waitMinutes: 35,
  });
  expect(planOf({ strategy: 'canary', canary, samples: { minimumRequests: 0 } })).toEqual({
    ecs,
    steps: [],
    waitMinutes: 20,
  });
});

test('each step of a linear deployment may take longer, for requests to come', () => {
  const linear = { stepPercent: 25, stepBakeTimeMinutes: 6 };
  expect(planOf({ strategy: 'linear', linear, samples: { withinMinutes: 30 } })).toMatchObject({
    ecs: { pause: { timeoutMinutes: 90 } },
    waitMinutes: 5 + 3 * (6 + 30),
  });
  expect(planOf({ strategy: 'linear', linear, samples: { minimumRequests: 0 } }).ecs).not.toHaveProperty(
    'pause',
  );
});

test.each([
  ['canary', 10],
  ['linear', 10],
  ['blue-green', 0],
] as const)(
  'a person is asked in a %s deployment at %d per cent, in production only',
  (strategy, percent) => {
    const deployment = { strategy, gate: { required: true, expiresAfterMinutes: 600 } };
    expect(planOf(deployment)).toMatchObject({
      gatePercent: percent,
      // ECS must not roll back before the question expires.
      ecs: { pause: { timeoutMinutes: 660 } },
    });
    expect(planOf(deployment, 'staging').gatePercent).toBeUndefined();
  },
);

test('equal steps reach every share that is waited at, whatever the shares are', () => {
  const steps = fc
    .tuple(
      fc.integer({ min: 3, max: 30 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 33 }), { minLength: 2, maxLength: 5 }),
    )
    .map(([unit, multiples]) => multiples.map(multiple => unit * multiple).sort((one, other) => one - other))
    .filter(percents => percents.at(-1)! < 100);
  fc.assert(
    fc.property(steps, percents => {
      const canary = { steps: percents.map(percent => ({ percent, bakeTimeMinutes: 1 })) };
      const { ecs, steps: waits } = planOf({ strategy: 'canary', canary });
      expect(ecs.strategy).toBe('linear');
      if (ecs.strategy !== 'linear') return;
      expect(ecs.stepPercent).toBeGreaterThanOrEqual(3);
      for (const { percent } of waits) expect(percent % ecs.stepPercent).toBe(0);
    }),
  );
});
