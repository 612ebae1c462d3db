import { HOURS_A_MONTH, type Account, type Charge, type Rule } from '../account.ts';
import { first, listOf, numberOf, textOf, type Resource } from '../resource.ts';

/** Zones of the region's network. A regional NAT gateway is billed, and has an address, in each. */
function zonesBeside(resource: Resource, account: Account): number {
  const zones = account.beside(resource, 'aws_subnet').map(({ values }) => values['availability_zone']);
  return Math.max(1, new Set(zones.filter(zone => zone !== undefined)).size);
}

const natGateway: Rule = (resource, account) => {
  const isRegional = resource.values['availability_mode'] === 'regional';
  const zones = isRegional ? zonesBeside(resource, account) : 1;
  const gateways = account.beside(resource, 'aws_nat_gateway').length;
  return [
    { item: 'NAT gateway', price: 'natGateway', quantity: zones * HOURS_A_MONTH },
    { item: 'NAT traffic', price: 'natTraffic', quantity: account.usage.natGb / gateways },
    ...(isRegional ? addresses(zones) : []),
  ];
};

function addresses(count: number): Charge[] {
  return [{ item: 'public addresses', price: 'publicAddress', quantity: count * HOURS_A_MONTH }];
}

const SECONDS_A_MONTH = HOURS_A_MONTH * 3600;
/** One LCU is any one of: 25 new connections a second, 1 GB an hour (Elastic Load Balancing pricing). */
const LCU_CONNECTIONS_A_SECOND = 25;
const LCU_GB_AN_HOUR = 1;

/** A connection for each request is the dearest that traffic can be; what is idle costs no capacity. */
const loadBalancer: Rule = (resource, account) => {
  const share = account.trafficShare(resource);
  const internetGb = account.usage.internetGb * share;
  const connections = (account.usage.requestsMillions * share * 1e6) / SECONDS_A_MONTH;
  const capacity = Math.max(
    connections / LCU_CONNECTIONS_A_SECOND,
    internetGb / HOURS_A_MONTH / LCU_GB_AN_HOUR,
  );
  const isInternal = resource.values['internal'] === true;
  const zones = listLength(resource.values['subnets']) || listOf(resource.values['subnet_mapping']).length;
  return [
    { item: 'load balancer', price: 'loadBalancer', quantity: HOURS_A_MONTH },
    { item: 'load balancer capacity', price: 'loadBalancerCapacity', quantity: capacity * HOURS_A_MONTH },
    { item: 'traffic to the internet', price: 'internetTraffic', quantity: internetGb },
    ...(isInternal ? [] : addresses(zones || zonesBeside(resource, account))),
  ];
};

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

/** Without a NAT gateway, what tasks exchange with AWS's services goes through these. */
const endpoint: Rule = (resource, account) => {
  if (resource.values['vpc_endpoint_type'] !== 'Interface') return [];
  const interfaces = account
    .beside(resource, 'aws_vpc_endpoint')
    .filter(({ values }) => values['vpc_endpoint_type'] === 'Interface');
  const hasNat = account.beside(resource, 'aws_nat_gateway').length > 0;
  const zones = listLength(resource.values['subnet_ids']) || zonesBeside(resource, account);
  return [
    { item: 'VPC endpoint', price: 'endpoint', quantity: zones * HOURS_A_MONTH },
    {
      item: 'VPC endpoint traffic',
      price: 'endpointTraffic',
      quantity: hasNat ? 0 : account.usage.natGb / interfaces.length,
    },
  ];
};

const healthCheck: Rule = ({ values }) => {
  const options = [
    textOf(values['type']).startsWith('HTTPS'),
    textOf(values['type']).endsWith('STR_MATCH'),
    numberOf(values['request_interval'], 30) === 10,
    values['measure_latency'] === true,
  ].filter(Boolean).length;
  return [
    { item: 'health check', price: 'healthCheck', quantity: 1 },
    { item: 'health check options', price: 'healthCheckOption', quantity: options },
  ];
};

const firewall: Rule = (resource, account) => [
  { item: 'firewall', price: 'firewall', quantity: 1 },
  { item: 'firewall rules', price: 'firewallRule', quantity: rulesOf(resource.values) },
  {
    item: 'firewall requests',
    price: 'firewallRequests',
    quantity: account.usage.requestsMillions * (1 + account.usage.stagingPercent / 100),
  },
];

function rulesOf(values: Resource['values']): number {
  const json = textOf(values['rule_json']);
  if (json === '') return listOf(values['rule']).length;
  try {
    return listOf(JSON.parse(json)).length;
  } catch {
    return 1;
  }
}

const monthly =
  (item: string, price: Charge['price'], hourly = false): Rule =>
  () => [{ item, price, quantity: hourly ? HOURS_A_MONTH : 1 }];

export const networkRules: Readonly<Record<string, Rule>> = {
  aws_nat_gateway: natGateway,
  aws_eip: () => addresses(1),
  aws_lb: loadBalancer,
  aws_vpc_endpoint: endpoint,
  aws_route53_zone: monthly('hosted zone', 'hostedZone'),
  aws_route53_health_check: healthCheck,
  aws_wafv2_web_acl: firewall,
  aws_globalaccelerator_accelerator: monthly('accelerator', 'accelerator', true),
  aws_arcregionswitch_plan: monthly('Region switch plan', 'regionSwitch'),
};

/** What replicates an image elsewhere: each build, once to each other region. */
export const imageReplication: Rule = ({ values }, { usage }) => {
  const destinations = listOf(first(values['replication_configuration'])['rule']).flatMap(rule =>
    listOf(rule['destination']),
  ).length;
  const gb = (usage.builds * usage.imageMb * destinations) / 1024;
  return [{ item: 'image replication', price: 'regionTraffic', quantity: gb }];
};
