import { Route53Record, type Route53RecordConfig } from '@cdktn/provider-aws/lib/route53-record/index.js';
import { Construct } from 'constructs';

interface DnsEndpoint {
  region: string;
  /** A record of the same zone that leads to this region alone; see `regionRecord`. */
  hostName: string;
  /** Without one, only what the record's load balancer says of its targets counts. */
  healthCheckId?: string;
  /** For `weighted`: 0 to 255. */
  weight: number;
  /** For `geolocation`: `continent:EU`, `country:US`. */
  locations: readonly string[];
}

export interface DnsInput {
  zoneId: string;
  /** The name that leads to whichever region should answer. */
  hostName: string;
  policy: 'failover' | 'latency' | 'weighted' | 'geolocation';
  /** In the order of preference. One alone needs no policy. */
  endpoints: readonly DnsEndpoint[];
}

/**
 * One name for all regions. Every record is an alias, so it answers with the addresses of a load balancer and their
 * time to live, 60 seconds, and is left out while its region is unhealthy: a failover changes nothing in Route 53.
 */
export function dns(scope: Construct, id: string, input: DnsInput): void {
  const here = new Construct(scope, id);
  const { policy, hostName, endpoints } = input;
  if (endpoints.length === 1) {
    new Route53Record(here, 'record', alias(input, hostName, endpoints[0]!.hostName));
  } else if (policy === 'failover') {
    failover(here, input, hostName);
  } else if (policy === 'geolocation') {
    geolocation(here, input);
  } else {
    for (const endpoint of endpoints) {
      new Route53Record(here, endpoint.region, {
        ...to(input, hostName, endpoint),
        setIdentifier: endpoint.region,
        ...(policy === 'latency'
          ? { latencyRoutingPolicy: { region: endpoint.region } }
          : { weightedRoutingPolicy: { weight: endpoint.weight } }),
      });
    }
  }
}

/** The record of one region, owned by that region's stack: nobody else needs to know its load balancer. */
export function regionRecord(
  scope: Construct,
  id: string,
  input: { zoneId: string; hostName: string; loadBalancer: { dnsName: string; zoneId: string } },
): void {
  new Route53Record(scope, id, {
    zoneId: input.zoneId,
    name: input.hostName,
    type: 'A',
    alias: {
      name: input.loadBalancer.dnsName,
      zoneId: input.loadBalancer.zoneId,
      evaluateTargetHealth: true,
    },
  });
}

/**
 * A name has one primary and one secondary; with more regions the secondary is again such a name, of all regions but
 * the first. Where none is healthy, Route 53 answers with the primary. Returns the records of `name`.
 */
function failover(scope: Construct, input: DnsInput, name: string, first = 0): Route53Record[] {
  const { endpoints, hostName } = input;
  const endpoint = endpoints[first]!;
  const next = endpoints[first + 1]!;
  const isLast = first === endpoints.length - 2;
  const standby = standbyName(hostName, first + 1);
  return [
    new Route53Record(scope, `${endpoint.region}-primary`, {
      ...to(input, name, endpoint),
      setIdentifier: endpoint.region,
      failoverRoutingPolicy: { type: 'PRIMARY' },
    }),
    new Route53Record(scope, `${next.region}-secondary`, {
      ...(isLast ? to(input, name, next) : alias(input, name, standby)),
      setIdentifier: isLast ? next.region : 'standby',
      failoverRoutingPolicy: { type: 'SECONDARY' },
      // Route 53 takes no alias of a record that is not there yet.
      ...(!isLast && { dependsOn: failover(scope, input, standby, first + 1) }),
    }),
  ];
}

function standbyName(hostName: string, index: number): string {
  return `standby-${index}.${hostName}`;
}

/** People of the places named go to their region; all others, and those whose region is down, to the first healthy. */
function geolocation(scope: Construct, input: DnsInput): void {
  const anywhere = `anywhere.${input.hostName}`;
  for (const endpoint of input.endpoints) {
    for (const location of endpoint.locations) {
      const [kind, code] = location.split(':', 2) as ['continent' | 'country', string];
      new Route53Record(scope, `${endpoint.region}-${kind}-${code.toLowerCase()}`, {
        ...to(input, input.hostName, endpoint),
        setIdentifier: `${endpoint.region} ${location}`,
        geolocationRoutingPolicy: { [kind]: code },
      });
    }
  }
  new Route53Record(scope, 'anywhere', {
    ...alias(input, input.hostName, anywhere),
    setIdentifier: 'anywhere',
    geolocationRoutingPolicy: { country: '*' },
    dependsOn: failover(scope, input, anywhere),
  });
}

function to(input: DnsInput, name: string, endpoint: DnsEndpoint): Route53RecordConfig {
  return {
    ...alias(input, name, endpoint.hostName),
    ...(endpoint.healthCheckId !== undefined && { healthCheckId: endpoint.healthCheckId }),
  };
}

function alias({ zoneId }: DnsInput, name: string, target: string): Route53RecordConfig {
  return { zoneId, name, type: 'A', alias: { name: target, zoneId, evaluateTargetHealth: true } };
}
