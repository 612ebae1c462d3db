import { NetworkAcl } from '@cdktn/provider-aws/lib/network-acl/index.js';
import { Construct } from 'constructs';

export interface SubnetRulesInput {
  name: string;
  vpcId: string;
  cidr: string;
  publicSubnetIds: string[];
  privateSubnetIds: string[];
}

const ANYWHERE = '0.0.0.0/0';
/** Where answers to connections that began inside arrive; also what a load balancer and NAT use as their own ports. */
const EPHEMERAL_PORTS = [1024, 65_535] as const;

/**
 * Network ACLs, the second layer behind security groups: they have no state, so answers need a rule of their own.
 * Public: HTTP and HTTPS from anywhere, answers, and the network itself. Private: the network itself, and answers.
 */
export function subnetRules(scope: Construct, id: string, input: SubnetRulesInput): void {
  const here = new Construct(scope, id);
  const answers = (ruleNo: number) => [
    allow(ruleNo, 'tcp', EPHEMERAL_PORTS, ANYWHERE),
    allow(ruleNo + 1, 'udp', EPHEMERAL_PORTS, ANYWHERE),
  ];
  const inside = allow(100, '-1', [0, 0], input.cidr);
  const egress = [allow(100, '-1', [0, 0], ANYWHERE)];
  new NetworkAcl(here, 'public', {
    vpcId: input.vpcId,
    subnetIds: input.publicSubnetIds,
    ingress: [
      inside,
      allow(110, 'tcp', [80, 80], ANYWHERE),
      allow(120, 'tcp', [443, 443], ANYWHERE),
      ...answers(130),
    ],
    egress,
    tags: { Name: `${input.name}-public` },
  });
  new NetworkAcl(here, 'private', {
    vpcId: input.vpcId,
    subnetIds: input.privateSubnetIds,
    ingress: [inside, ...answers(110)],
    egress,
    tags: { Name: `${input.name}-private` },
  });
}

function allow(
  ruleNo: number,
  protocol: string,
  [fromPort, toPort]: readonly [number, number],
  cidrBlock: string,
) {
  // Terraform fills what is left out with null, which it then finds different from AWS's zeros.
  return { action: 'allow', ruleNo, protocol, fromPort, toPort, cidrBlock, icmpCode: 0, icmpType: 0 };
}
