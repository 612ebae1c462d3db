import { expect, test } from 'vitest';
import { validateConfig } from '../validate.ts';

test('weights and places are for regions of the file, and each place has one region', () => {
  const { faults } = validateConfig({
    application: 'storefront',
    routing: {
      policy: 'geolocation',
      weights: { 'eu-west-1': 5 },
      locations: { 'us-east-1': ['country:US'], 'us-west-2': ['continent:SA', 'country:US'] },
    },
  });
  expect(faults).toEqual([
    {
      path: 'routing.weights["eu-west-1"]',
      found: '5',
      allowed: "one of this file's regions: us-east-1, us-west-2",
    },
    {
      path: 'routing.locations["us-west-2"][1]',
      found: '"country:US"',
      allowed: 'each place once: it has one region',
    },
  ]);
});

test('a place says whether it is a country or a continent', () => {
  const { faults } = validateConfig({
    application: 'storefront',
    routing: { policy: 'geolocation', locations: { 'us-east-1': ['EU'] } },
  });
  expect(faults?.map(({ path, allowed }) => `${path}: ${allowed}`)).toEqual([
    'routing.locations["us-east-1"][0]: a place as `continent:EU` or `country:US`, in the codes of Route 53',
  ]);
});

test('routing by place needs places', () => {
  const { faults } = validateConfig({ application: 'storefront', routing: { policy: 'geolocation' } });
  expect(faults?.map(({ path }) => path)).toEqual(['routing.locations']);
});
