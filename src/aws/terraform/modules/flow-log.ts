import { FlowLog } from '@cdktn/provider-aws/lib/flow-log/index.js';
import { Construct } from 'constructs';
import { logGroup } from './log-group.ts';
import { serviceRole } from './service-role.ts';

export interface FlowLogInput {
  name: string;
  vpcId: string;
  region: string;
  accountId: string;
  roleName: string;
  retentionDays: number;
}

/** Who spoke to whom in the network, and what was refused, in CloudWatch Logs. */
export function flowLog(scope: Construct, id: string, input: FlowLogInput): void {
  const here = new Construct(scope, id);
  const group = logGroup(here, 'group', {
    name: `/aws/vpc/${input.name}`,
    retentionDays: input.retentionDays,
  });
  const role = serviceRole(here, 'writer', {
    name: input.roleName,
    description: `Writes the flow log of ${input.name} in ${input.region}`,
    service: 'vpc-flow-logs.amazonaws.com',
    accountId: input.accountId,
    statements: [
      {
        Sid: 'Write',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
        Resource: [group.arn, `${group.arn}:*`],
      },
    ],
  });
  new FlowLog(here, 'flow-log', {
    vpcId: input.vpcId,
    trafficType: 'ALL',
    logDestinationType: 'cloud-watch-logs',
    logDestination: group.arn,
    iamRoleArn: role.arn,
    maxAggregationInterval: 600,
    tags: { Name: input.name },
  });
}
