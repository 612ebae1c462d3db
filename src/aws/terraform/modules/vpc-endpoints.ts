import { SecurityGroup } from '@cdktn/provider-aws/lib/security-group/index.js';
import { VpcEndpoint } from '@cdktn/provider-aws/lib/vpc-endpoint/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktn/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { Construct } from 'constructs';

export interface VpcEndpointsInput {
  name: string;
  region: string;
  vpcId: string;
  cidr: string;
  subnetIds: string[];
  routeTableIds: string[];
  /** Whether to pay for the interface endpoints that a network without NAT needs. */
  interfaces: boolean;
}

/** What a Fargate task talks to: the registry (its layers come from S3), logs, secrets, and ECS Exec. */
const INTERFACE_SERVICES = ['ecr.api', 'ecr.dkr', 'logs', 'secretsmanager', 'ssm', 'ssmmessages', 'sts'];
const GATEWAY_SERVICES = ['s3', 'dynamodb'];

/** Ways to AWS's own services that stay inside the network. Those to S3 and DynamoDB are free, so always there. */
export function vpcEndpoints(scope: Construct, id: string, input: VpcEndpointsInput): void {
  const here = new Construct(scope, id);
  for (const service of GATEWAY_SERVICES) {
    new VpcEndpoint(here, service, {
      vpcId: input.vpcId,
      serviceName: `com.amazonaws.${input.region}.${service}`,
      vpcEndpointType: 'Gateway',
      routeTableIds: input.routeTableIds,
      tags: { Name: `${input.name}-${service}` },
    });
  }
  if (!input.interfaces) return;
  const group = new SecurityGroup(here, 'group', {
    name: `${input.name}-endpoints`,
    description: 'HTTPS from inside the network to the endpoints of AWS services',
    vpcId: input.vpcId,
    tags: { Name: `${input.name}-endpoints` },
  });
  new VpcSecurityGroupIngressRule(here, 'https', {
    securityGroupId: group.id,
    description: 'HTTPS from inside the network',
    ipProtocol: 'tcp',
    fromPort: 443,
    toPort: 443,
    cidrIpv4: input.cidr,
  });
  for (const service of INTERFACE_SERVICES) {
    new VpcEndpoint(here, service.replaceAll('.', '-'), {
      vpcId: input.vpcId,
      serviceName: `com.amazonaws.${input.region}.${service}`,
      vpcEndpointType: 'Interface',
      privateDnsEnabled: true,
      subnetIds: input.subnetIds,
      securityGroupIds: [group.id],
      tags: { Name: `${input.name}-${service}` },
    });
  }
}
