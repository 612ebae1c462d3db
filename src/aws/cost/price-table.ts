/**
 * What AWS charges, in US dollars, without free allowances, commitments or taxes. The one place to bring up to date:
 * a price, when it was seen, and where. `isConfirmed: false` is general knowledge that nobody has checked; reports say so.
 *
 * `usd` is the price of us-east-1, us-east-2 and us-west-2; `regions` has the others that are known. A region that is in
 * neither is estimated with the former, and reports say that too.
 */
export interface Price {
  usd: number;
  unit: string;
  /** When the price was seen: a day or a month. */
  date: string;
  source: string;
  isConfirmed: boolean;
  regions?: { usd: Readonly<Record<string, number>>; source: string; isConfirmed: boolean };
}

/** Regions that are taken to cost what us-east-1 costs; for us-west-2 that is general knowledge. */
export const BASE_REGIONS: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2'];

const PRICE_LIST = 'AWS price list, as quoted in public repositories';
const GENERAL = 'general knowledge';

function listed(usd: number, unit: string, date = '2026-11'): Price {
  return { usd, unit, date, source: PRICE_LIST, isConfirmed: true };
}

function quoted(usd: number, unit: string, date: string, source: string): Price {
  return { usd, unit, date, source, isConfirmed: true };
}

function unconfirmed(usd: number, unit: string): Price {
  return { usd, unit, date: '2026-11', source: GENERAL, isConfirmed: false };
}

function elsewhere(price: Price, usd: Readonly<Record<string, number>>): Price {
  return { ...price, regions: { usd, source: GENERAL, isConfirmed: false } };
}

export const PRICE_TABLE = {
  fargateCpu: elsewhere(listed(0.04048, 'vCPU-hour', '2026-09-30'), {
    'eu-west-1': 0.04048,
    'eu-west-2': 0.04656,
    'eu-central-1': 0.04656,
    'ca-central-1': 0.04456,
    'ap-south-1': 0.04256,
    'ap-northeast-1': 0.05056,
    'ap-southeast-1': 0.05056,
    'ap-southeast-2': 0.04856,
    'sa-east-1': 0.0696,
  }),
  fargateMemory: elsewhere(listed(0.004445, 'GB-hour', '2026-09-30'), {
    'eu-west-1': 0.004445,
    'eu-west-2': 0.00511,
    'eu-central-1': 0.00511,
    'ca-central-1': 0.004865,
    'ap-south-1': 0.004655,
    'ap-northeast-1': 0.00553,
    'ap-southeast-1': 0.00553,
    'ap-southeast-2': 0.00532,
    'sa-east-1': 0.0076,
  }),
  fargateArmCpu: elsewhere(listed(0.03238, 'vCPU-hour', '2026-09-23'), {
    'eu-west-1': 0.03238,
    'eu-west-2': 0.03725,
    'eu-central-1': 0.03725,
    'ca-central-1': 0.03565,
    'ap-south-1': 0.03405,
    'ap-northeast-1': 0.04045,
    'ap-southeast-1': 0.04045,
    'ap-southeast-2': 0.03885,
    'sa-east-1': 0.0557,
  }),
  fargateArmMemory: elsewhere(listed(0.00356, 'GB-hour', '2026-09-23'), {
    'eu-west-1': 0.00356,
    'eu-west-2': 0.00409,
    'eu-central-1': 0.00409,
    'ca-central-1': 0.00389,
    'ap-south-1': 0.00372,
    'ap-northeast-1': 0.00442,
    'ap-southeast-1': 0.00442,
    'ap-southeast-2': 0.00426,
    'sa-east-1': 0.00612,
  }),
  /** Spot moves with the market: 30 % of the ordinary price. */
  fargateSpotCpu: quoted(0.012144, 'vCPU-hour', '2026-03', 'wring.co: about 70 % off, variable'),
  fargateSpotMemory: quoted(0.0013335, 'GB-hour', '2026-03', 'wring.co: about 70 % off, variable'),
  fargateArmSpotCpu: quoted(0.009714, 'vCPU-hour', '2026-03', 'wring.co: about 70 % off, variable'),
  fargateArmSpotMemory: quoted(0.001068, 'GB-hour', '2026-03', 'wring.co: about 70 % off, variable'),
  fargateStorage: quoted(0.000111, 'GB-hour above 20 GB', '2026-11', 'vantage.sh'),

  loadBalancer: elsewhere(listed(0.0225, 'hour'), {
    'eu-west-1': 0.0252,
    'eu-central-1': 0.027,
    'ap-northeast-1': 0.0243,
    'ap-southeast-1': 0.0252,
    'ap-southeast-2': 0.0252,
  }),
  loadBalancerCapacity: listed(0.008, 'LCU-hour'),
  natGateway: elsewhere(listed(0.045, 'hour'), {
    'eu-west-1': 0.048,
    'eu-central-1': 0.052,
    'ap-northeast-1': 0.062,
    'ap-southeast-1': 0.059,
    'ap-southeast-2': 0.059,
  }),
  natTraffic: elsewhere(listed(0.045, 'GB'), {
    'eu-west-1': 0.048,
    'eu-central-1': 0.052,
    'ap-northeast-1': 0.062,
    'ap-southeast-1': 0.059,
    'ap-southeast-2': 0.059,
  }),
  endpoint: listed(0.01, 'zone-hour'),
  endpointTraffic: listed(0.01, 'GB'),
  publicAddress: listed(0.005, 'hour'),
  internetTraffic: listed(0.09, 'GB out, up to 10 TB'),
  regionTraffic: quoted(0.02, 'GB between regions', '2026-03', 'billspike.io'),
  hostedZone: listed(0.5, 'month'),
  healthCheck: listed(0.5, 'month'),
  healthCheckOption: listed(1, 'month: HTTPS, text match, fast interval'),
  firewall: listed(5, 'month'),
  firewallRule: listed(1, 'month'),
  firewallRequests: listed(0.6, 'million requests'),
  accelerator: unconfirmed(0.025, 'hour'),
  regionSwitch: listed(70, 'month'),

  pipelineMinute: listed(0.002, 'action-minute'),
  buildMinute: listed(0.005, 'minute of general1.small'),
  buildArmMinute: listed(0.0034, 'minute of arm1.small'),
  imageStorage: listed(0.1, 'GB-month'),
  objectStorage: listed(0.023, 'GB-month'),
  functionCalls: unconfirmed(0.2, 'million calls'),
  functionTime: unconfirmed(0.0000166667, 'GB-second'),

  logIngestion: listed(0.5, 'GB'),
  logStorage: unconfirmed(0.03, 'GB-month, compressed'),
  metric: listed(0.3, 'month'),
  /** The price of a metric is confirmed; how many Container Insights makes is not. */
  insightsMetric: unconfirmed(0.3, 'month'),
  alarm: listed(0.1, 'month, a metric'),
  compositeAlarm: unconfirmed(0.5, 'month'),
  dashboard: listed(3, 'month'),

  key: unconfirmed(1, 'month'),
  secret: listed(0.4, 'month'),
  configurationItem: unconfirmed(0.003, 'recorded change'),
  ruleEvaluation: unconfirmed(0.001, 'evaluation'),
  threatEvents: unconfirmed(4, 'million CloudTrail events'),
  threatTraffic: unconfirmed(1, 'GB of flow and DNS logs'),
  securityCheck: unconfirmed(0.001, 'check'),

  databaseStorage: unconfirmed(0.115, 'GB-month'),
  auroraStorage: unconfirmed(0.1, 'GB-month'),
  auroraRequests: unconfirmed(0.2, 'million requests to storage'),
  auroraReplication: unconfirmed(0.2, 'million writes replicated'),
  auroraCapacity: unconfirmed(0.12, 'ACU-hour'),
  tableStorage: unconfirmed(0.25, 'GB-month'),
  tableReads: unconfirmed(0.125, 'million reads'),
  tableWrites: unconfirmed(0.625, 'million writes'),
  tableBackup: unconfirmed(0.2, 'GB-month'),

  'db.t4g.micro': unconfirmed(0.016, 'hour'),
  'db.t4g.small': unconfirmed(0.032, 'hour'),
  'db.t4g.medium': unconfirmed(0.065, 'hour'),
  'db.t4g.large': unconfirmed(0.129, 'hour'),
  'db.m6g.large': unconfirmed(0.159, 'hour'),
  'db.m6g.xlarge': unconfirmed(0.318, 'hour'),
  'db.r6g.large': unconfirmed(0.225, 'hour'),
  'db.r6g.xlarge': unconfirmed(0.45, 'hour'),
  'aurora db.t4g.medium': unconfirmed(0.073, 'hour'),
  'aurora db.t4g.large': unconfirmed(0.146, 'hour'),
  'aurora db.r6g.large': unconfirmed(0.26, 'hour'),
  'aurora db.r6g.xlarge': unconfirmed(0.519, 'hour'),
} satisfies Record<string, Price>;

export type PriceId = keyof typeof PRICE_TABLE;

export function isPriceId(name: string): name is PriceId {
  return Object.hasOwn(PRICE_TABLE, name);
}
