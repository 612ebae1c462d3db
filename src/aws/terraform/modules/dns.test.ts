import { expect, test } from 'vitest';
import { resourcesOf } from '../testing/define-resources.ts';
import { dns, regionRecord, type DnsInput } from './dns.ts';

test('one region needs no policy', () => {
  expect(recordsOf('latency', ['us-east-1'])).toEqual(['shop.example.com → us-east-1.shop.example.com']);
});

test('with two regions the first answers while it is healthy, else the second', () => {
  expect(recordsOf('failover', ['us-east-1', 'us-west-2'])).toEqual([
    'shop.example.com [us-east-1] {"type":"PRIMARY"} check-us-east-1 → us-east-1.shop.example.com',
    'shop.example.com [us-west-2] {"type":"SECONDARY"} check-us-west-2 → us-west-2.shop.example.com',
  ]);
});

test('further regions stand in line, each record after what it leads to', () => {
  expect(recordsOf('failover', ['us-east-1', 'us-west-2', 'eu-west-1'])).toEqual([
    'shop.example.com [us-east-1] {"type":"PRIMARY"} check-us-east-1 → us-east-1.shop.example.com',
    'standby-1.shop.example.com [us-west-2] {"type":"PRIMARY"} check-us-west-2 → us-west-2.shop.example.com',
    'standby-1.shop.example.com [eu-west-1] {"type":"SECONDARY"} check-eu-west-1 → eu-west-1.shop.example.com',
    'shop.example.com [standby] {"type":"SECONDARY"} → standby-1.shop.example.com',
  ]);
  const { aws_route53_record: records } = resourcesOf(stack => {
    dns(stack, 'dns', input('failover', ['us-east-1', 'us-west-2', 'eu-west-1']));
  });
  expect(records!['dns_us_west_2_secondary']!['depends_on']).toEqual([
    'aws_route53_record.dns_us_west_2_primary',
    'aws_route53_record.dns_eu_west_1_secondary',
  ]);
});

test('by weight, and by nearness, every region has a record of the name', () => {
  expect(recordsOf('weighted', ['us-east-1', 'us-west-2'])).toEqual([
    'shop.example.com [us-east-1] {"weight":100} check-us-east-1 → us-east-1.shop.example.com',
    'shop.example.com [us-west-2] {"weight":100} check-us-west-2 → us-west-2.shop.example.com',
  ]);
  expect(recordsOf('latency', ['us-east-1', 'us-west-2'])).toEqual([
    'shop.example.com [us-east-1] {"region":"us-east-1"} check-us-east-1 → us-east-1.shop.example.com',
    'shop.example.com [us-west-2] {"region":"us-west-2"} check-us-west-2 → us-west-2.shop.example.com',
  ]);
});

test('by place, whoever is of no place, and whoever’s region is down, goes to the first healthy one', () => {
  expect(recordsOf('geolocation', ['us-east-1', 'eu-west-1'])).toEqual([
    'shop.example.com [eu-west-1 continent:EU] {"continent":"EU"} check-eu-west-1 → eu-west-1.shop.example.com',
    'shop.example.com [eu-west-1 country:GB] {"country":"GB"} check-eu-west-1 → eu-west-1.shop.example.com',
    'anywhere.shop.example.com [us-east-1] {"type":"PRIMARY"} check-us-east-1 → us-east-1.shop.example.com',
    'anywhere.shop.example.com [eu-west-1] {"type":"SECONDARY"} check-eu-west-1 → eu-west-1.shop.example.com',
    'shop.example.com [anywhere] {"country":"*"} → anywhere.shop.example.com',
  ]);
});

test('a region’s own record leads to its load balancer, as long as that has healthy targets', () => {
  const { aws_route53_record: records } = resourcesOf(stack => {
    regionRecord(stack, 'record', {
      zoneId: 'Z0123456789ABC',
      hostName: 'us-east-1.shop.example.com',
      loadBalancer: { dnsName: 'shop-1.us-east-1.elb.amazonaws.com', zoneId: 'Z35SXDOTRQ7X7K' },
    });
  });
  expect(records!['record']).toEqual({
    zone_id: 'Z0123456789ABC',
    name: 'us-east-1.shop.example.com',
    type: 'A',
    alias: {
      name: 'shop-1.us-east-1.elb.amazonaws.com',
      zone_id: 'Z35SXDOTRQ7X7K',
      evaluate_target_health: true,
    },
  });
});

/** The records in the order in which they were made, a line each: `name [set] {policy} check → target`. */
function recordsOf(policy: DnsInput['policy'], regions: readonly string[]): string[] {
  const { aws_route53_record: records } = resourcesOf(stack => dns(stack, 'dns', input(policy, regions)));
  return Object.values(records!).map(record => {
    const { name, set_identifier: set, health_check_id: check, alias } = record;
    const kind = Object.keys(record).find(key => key.endsWith('_routing_policy'));
    const parts = [
      name,
      typeof set === 'string' ? `[${set}]` : '',
      kind === undefined ? '' : JSON.stringify(record[kind]),
      check,
      `→ ${(alias as { name: string }).name}`,
    ];
    return parts.filter(part => part !== undefined && part !== '').join(' ');
  });
}

function input(policy: DnsInput['policy'], regions: readonly string[]): DnsInput {
  return {
    zoneId: 'Z0123456789ABC',
    hostName: 'shop.example.com',
    policy,
    endpoints: regions.map(region => ({
      region,
      hostName: `${region}.shop.example.com`,
      weight: 100,
      locations: region === 'eu-west-1' ? ['continent:EU', 'country:GB'] : [],
      ...(regions.length > 1 && { healthCheckId: `check-${region}` }),
    })),
  };
}
