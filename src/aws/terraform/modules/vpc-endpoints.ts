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
  /** Those with an interface endpoint, besides the gateways. */
  services: readonly string[];
}

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
  if (input.services.length === 0) return;
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
  for (const service of input.services) {
    new VpcEndpoint(here, `to-${service.replaceAll('.', '-')}`, {
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
