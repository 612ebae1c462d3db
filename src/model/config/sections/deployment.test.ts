import { expect, test } from 'vitest';
import { validateConfig } from '../validate.ts';

test('canary steps rise, and share a step that ECS can take', () => {
  expect(faultsOf({ canary: { steps: [step(50), step(10)] } })).toMatchObject([
    { path: 'deployment.canary.steps', allowed: expect.stringContaining('higher percent') as string },
  ]);
  expect(faultsOf({ canary: { steps: [step(5), step(12)] } })).toMatchObject([
    { path: 'deployment.canary.steps', allowed: expect.stringContaining('divisor of at least 3') as string },
  ]);
  // One alone is a canary of ECS's own, which knows every share.
  expect(faultsOf({ canary: { steps: [step(1)] } })).toEqual([]);
});

test('a gate needs a deployment with steps in production, and only there', () => {
  expect(faultsOf({ gate: { required: true } })).toMatchObject([{ path: 'deployment.gate.required' }]);
  expect(
    validateConfig({
      application: 'storefront',
      deployment: { gate: { required: true } },
      environments: { production: { deployment: { strategy: 'canary' } } },
    }).faults,
  ).toBeUndefined();
});

test('a gate needs executions that wait for each other', () => {
  const gated = (executionMode: string) =>
    validateConfig({
      application: 'storefront',
      deployment: { strategy: 'canary', gate: { required: true } },
      pipeline: { executionMode },
    }).faults;
  expect(gated('PARALLEL')).toMatchObject([{ path: 'pipeline.executionMode', found: '"PARALLEL"' }]);
  expect(gated('QUEUED')).toBeUndefined();
});

function step(percent: number) {
  return { percent, bakeTimeMinutes: 5 };
}

function faultsOf(deployment: Record<string, unknown>) {
  return validateConfig({ application: 'storefront', deployment }).faults ?? [];
}
