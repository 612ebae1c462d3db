import { DataAwsAvailabilityZones } from '@cdktn/provider-aws/lib/data-aws-availability-zones/index.js';
import { DefaultSecurityGroup } from '@cdktn/provider-aws/lib/default-security-group/index.js';
import { Eip } from '@cdktn/provider-aws/lib/eip/index.js';
import { InternetGateway } from '@cdktn/provider-aws/lib/internet-gateway/index.js';
import { NatGateway } from '@cdktn/provider-aws/lib/nat-gateway/index.js';
import { RouteTableAssociation } from '@cdktn/provider-aws/lib/route-table-association/index.js';
import { RouteTable } from '@cdktn/provider-aws/lib/route-table/index.js';
import { Route } from '@cdktn/provider-aws/lib/route/index.js';
import { Subnet } from '@cdktn/provider-aws/lib/subnet/index.js';
import { Vpc } from '@cdktn/provider-aws/lib/vpc/index.js';
import { Fn } from 'cdktn';
import { Construct } from 'constructs';
import { flowLog } from './flow-log.ts';
import { subnetRules } from './subnet-rules.ts';
import { vpcEndpoints } from './vpc-endpoints.ts';

/** How private subnets reach the internet: a gateway a zone, one for all, AWS's regional one, or not at all. */
type NatMode = 'per-zone' | 'single' | 'regional' | 'none';

export interface VpcInput {
  name: string;
  region: string;
  accountId: string;
  /** The second number of the address block: 10.<block>.0.0/16. */
  block: number;
  /** With `none`, tasks reach S3, DynamoDB and `endpointServices`, and nothing else. */
  nat: NatMode;
  /** AWS services that get an interface endpoint, which is paid by the zone and hour: `ecr.api`. */
  endpointServices: readonly string[];
  flowLogs: boolean;
  flowLogRoleName: string;
  logRetentionDays: number;
}

export interface VpcOutput {
  id: string;
  cidr: string;
  publicSubnetIds: string[];
  privateSubnetIds: string[];
}

/** Two zones: what is called `a` and `b` here is whatever the account's first two zones are. */
export const ZONES = ['a', 'b'] as const;

/** The Name tag by which a subnet is found again. */
export function subnetName(
  network: string,
  kind: 'public' | 'private',
  zone: (typeof ZONES)[number],
): string {
  return `${network}-${kind}-${zone}`;
}

/**
 * A network of two zones, each with a public subnet (10.N.1.0/24, 10.N.2.0/24) for load balancers and NAT, and a private
 * one (10.N.11.0/24, 10.N.12.0/24) for tasks.
 */
export function vpc(scope: Construct, id: string, input: VpcInput): VpcOutput {
  const here = new Construct(scope, id);
  const { name, block } = input;
  const cidr = `10.${block}.0.0/16`;
  const network = new Vpc(here, 'vpc', {
    cidrBlock: cidr,
    enableDnsSupport: true,
    enableDnsHostnames: true,
    tags: { Name: name },
  });
  // Stripped of its rules: nothing may rely on the group that everything without one falls into.
  new DefaultSecurityGroup(here, 'default-group', {
    vpcId: network.id,
    tags: { Name: `${name}-default-closed` },
  });
  const zones = new DataAwsAvailabilityZones(here, 'zones', {
    state: 'available',
    filter: [{ name: 'opt-in-status', values: ['opt-in-not-required'] }],
  });
  const subnets = (kind: 'public' | 'private', firstThird: number) =>
    ZONES.map(
      (zone, index) =>
        new Subnet(here, `${kind}-${zone}`, {
          vpcId: network.id,
          availabilityZone: Fn.element(zones.names, index) as string,
          cidrBlock: `10.${block}.${firstThird + index}.0/24`,
          mapPublicIpOnLaunch: false,
          tags: { Name: subnetName(name, kind, zone) },
        }),
    );
  const publicSubnets = subnets('public', 1);
  const privateSubnets = subnets('private', 11);
  const gateway = new InternetGateway(here, 'gateway', { vpcId: network.id, tags: { Name: name } });
  const publicTable = new RouteTable(here, 'public', { vpcId: network.id, tags: { Name: `${name}-public` } });
  const internet = new Route(here, 'internet', {
    routeTableId: publicTable.id,
    destinationCidrBlock: '0.0.0.0/0',
    gatewayId: gateway.id,
  });
  publicSubnets.forEach((subnet, index) =>
    associate(here, `public-${ZONES[index]}-table`, subnet, publicTable),
  );

  const privateTables = privateSubnets.map((subnet, index) => {
    const zone = ZONES[index]!;
    const table = new RouteTable(here, `private-${zone}-routes`, {
      vpcId: network.id,
      tags: { Name: `${name}-private-${zone}` },
    });
    associate(here, `private-${zone}-table`, subnet, table);
    return table;
  });
  const nats = natGateways(here, input, network, publicSubnets, internet);
  privateTables.forEach((table, index) => {
    const nat = nats[index % nats.length];
    if (nat === undefined) return;
    new Route(here, `private-${ZONES[index]}-nat`, {
      routeTableId: table.id,
      destinationCidrBlock: '0.0.0.0/0',
      natGatewayId: nat.id,
    });
  });
  subnetRules(here, 'rules', {
    name,
    vpcId: network.id,
    cidr,
    publicSubnetIds: publicSubnets.map(({ id }) => id),
    privateSubnetIds: privateSubnets.map(({ id }) => id),
  });
  vpcEndpoints(here, 'endpoints', {
    name,
    region: input.region,
    vpcId: network.id,
    cidr,
    subnetIds: privateSubnets.map(({ id }) => id),
    routeTableIds: privateTables.map(({ id }) => id),
    services: input.endpointServices,
  });
  if (input.flowLogs) {
    flowLog(here, 'flow-log', {
      name,
      vpcId: network.id,
      region: input.region,
      accountId: input.accountId,
      roleName: input.flowLogRoleName,
      retentionDays: input.logRetentionDays,
    });
  }
  return {
    id: network.id,
    cidr,
    publicSubnetIds: publicSubnets.map(({ id }) => id),
    privateSubnetIds: privateSubnets.map(({ id }) => id),
  };
}

function associate(scope: Construct, id: string, subnet: Subnet, table: RouteTable): void {
  new RouteTableAssociation(scope, id, { subnetId: subnet.id, routeTableId: table.id });
}

/** The gateways that private subnets take, in the order of the zones, again from the first where there are fewer. */
function natGateways(
  scope: Construct,
  { name, nat }: VpcInput,
  network: Vpc,
  publicSubnets: readonly Subnet[],
  internet: Route,
): NatGateway[] {
  if (nat === 'none') return [];
  if (nat === 'regional') {
    return [
      new NatGateway(scope, 'nat', {
        availabilityMode: 'regional',
        vpcId: network.id,
        tags: { Name: name },
        dependsOn: [internet],
      }),
    ];
  }
  const chosen = nat === 'single' ? publicSubnets.slice(0, 1) : publicSubnets;
  return chosen.map((subnet, index) => {
    const zone = ZONES[index]!;
    const tags = { Name: `${name}-${zone}` };
    const address = new Eip(scope, `nat-${zone}-address`, { domain: 'vpc', tags });
    return new NatGateway(scope, `nat-${zone}`, {
      subnetId: subnet.id,
      allocationId: address.id,
      tags,
      // A NAT gateway is of no use, and fails, before its subnet reaches the internet.
      dependsOn: [internet],
    });
  });
}
