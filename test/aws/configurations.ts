import type { ConfigInput } from '../../src/model/config/schema.ts';

/** Configurations that the suites go over: what nobody changed, and every switch on, as far as this version has them. */
export const CONFIGURATIONS: Readonly<Record<'defaults' | 'everything', ConfigInput>> = {
  defaults: { application: 'storefront' },
  everything: {
    application: 'storefront',
    customer: 'acme',
    regions: ['eu-central-1', 'eu-west-1', 'us-east-1'],
    network: { nat: 'none', firstBlock: 40 },
    domain: { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
    routing: { policy: 'geolocation', locations: { 'eu-west-1': ['continent:EU'] } },
    service: { environment: { PRICE: '${not.a.reference} %{if}' } },
    scaling: {
      requestsPerTarget: 1000,
      schedules: [{ name: 'night', schedule: 'cron(0 20 ? * MON-FRI *)', minimumCount: 1, maximumCount: 2 }],
    },
    notifications: { emails: ['ada@example.com'] },
    environments: { dev: { enabled: true, service: { minimumCount: 1, desiredCount: 1 } } },
    aws: { architecture: 'ARM64', spotPercent: 50, accountId: '123456789012' },
  },
};
