import type { ConfigInput } from '../../src/model/config/schema.ts';

/** Configurations that the suites go over: what nobody changed, every switch on, and what excludes what `everything` has. */
export const CONFIGURATIONS: Readonly<
  Record<'defaults' | 'everything' | 'relational' | 'table' | 'elsewhere', ConfigInput>
> = {
  defaults: { application: 'storefront' },
  everything: {
    application: 'storefront',
    customer: 'acme',
    regions: ['eu-central-1', 'eu-west-1', 'us-east-1'],
    network: { nat: 'none', firstBlock: 40, endpoints: ['sqs'] },
    domain: { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
    routing: { policy: 'geolocation', locations: { 'eu-west-1': ['continent:EU'] } },
    service: { environment: { PRICE: '${not.a.reference} %{if}' } },
    scaling: {
      requestsPerTarget: 1000,
      schedules: [{ name: 'night', schedule: 'cron(0 20 ? * MON-FRI *)', minimumCount: 1, maximumCount: 2 }],
    },
    remediation: {
      actions: { cpu: 'scale-out', serverErrors: 'roll-back', unhealthyTargets: 'restart', memory: 'call' },
      hookUrl: 'https://hooks.example.com/alarm',
    },
    notifications: { emails: ['ada@example.com'] },
    deployment: { strategy: 'canary', gate: { required: true } },
    migration: { command: ['node', 'migrate.js'] },
    environments: { dev: { enabled: true, service: { minimumCount: 1, desiredCount: 1 } } },
    secrets: { API_TOKEN: {}, SESSION_KEY: { generate: true } },
    database: { engine: 'aurora-postgresql' },
    waf: { environments: ['staging', 'production'] },
    compliance: {
      cloudTrail: true,
      config: true,
      guardDuty: true,
      securityHub: true,
      accessAnalyzer: true,
    },
    budget: { monthlyUsd: 300 },
    monitoring: { collector: true },
    aws: {
      standby: 'warm',
      architecture: 'ARM64',
      spotPercent: 50,
      accountId: '123456789012',
    },
  },
  relational: { application: 'storefront', database: { engine: 'postgres' } },
  table: {
    application: 'storefront',
    regions: ['eu-central-1', 'eu-west-1'],
    domain: { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
    routing: { regionSwitch: { enabled: true } },
    database: { engine: 'dynamodb' },
    aws: { standby: 'pilot-light' },
  },
  elsewhere: {
    application: 'storefront',
    regions: ['eu-north-1'],
    network: { nat: 'per-zone' },
    pipeline: {
      source: { provider: 'github', repository: 'acme/storefront' },
      approval: { required: false },
    },
    deployment: { strategy: 'blue-green' },
    registry: { replication: 'external' },
    logs: { accessLogs: false },
  },
};
