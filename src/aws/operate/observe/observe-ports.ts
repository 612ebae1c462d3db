import { DescribeSecurityGroupRulesCommand, EC2Client, type SecurityGroupRule } from '@aws-sdk/client-ec2';
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { PortsObservation } from '../../../model/diagnosis.ts';
import type { Looking } from './looking.ts';
import type { ServicePlace } from './observe-service.ts';

/** Whether people reach the load balancer, and the load balancer the tasks; `undefined` where that cannot be told. */
export async function observePorts(
  looking: Looking,
  { environment, loadBalancer, port }: ServicePlace,
  tasksGroups: readonly string[],
): Promise<PortsObservation | undefined> {
  const what = `${environment}: security groups`;
  const balancer = await looking.ask(
    {
      what,
      permission: 'elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeListeners',
      client: new ElasticLoadBalancingV2Client(looking.settings),
    },
    client => describeBalancer(client, loadBalancer),
  );
  const [balancerGroup] = balancer?.groups ?? [];
  const [tasksGroup] = tasksGroups;
  if (balancer === undefined || balancerGroup === undefined || tasksGroup === undefined) return undefined;
  const rules = await looking.ask(
    { what, permission: 'ec2:DescribeSecurityGroupRules', client: new EC2Client(looking.settings) },
    client => rulesOf(client, [...balancer.groups, ...tasksGroups]),
  );
  if (rules === undefined) return undefined;
  const ofGroups = (groups: readonly string[], isEgress: boolean, towards: number) =>
    rules.filter(
      rule => groups.includes(rule.GroupId ?? '') && rule.IsEgress === isEgress && covers(rule, towards),
    );
  return {
    isBalancerOpen: balancer.ports.every(each => ofGroups(balancer.groups, false, each).length > 0),
    isBalancerOpenToTasks: ofGroups(balancer.groups, true, port).some(rule => names(rule, tasksGroups)),
    areTasksOpen: ofGroups(tasksGroups, false, port).some(rule => names(rule, balancer.groups)),
    port,
    balancerGroup,
    tasksGroup,
  };
}

/** With HTTPS, plain HTTP is only there to lead to it. */
async function describeBalancer(
  client: ElasticLoadBalancingV2Client,
  name: string,
): Promise<{ groups: string[]; ports: number[] }> {
  const { LoadBalancers = [] } = await client.send(new DescribeLoadBalancersCommand({ Names: [name] }));
  const { LoadBalancerArn, SecurityGroups = [] } = LoadBalancers[0] ?? {};
  const { Listeners = [] } = await client.send(new DescribeListenersCommand({ LoadBalancerArn }));
  const secure = Listeners.filter(({ Protocol }) => Protocol === 'HTTPS');
  const ports = (secure.length > 0 ? secure : Listeners).map(({ Port = 0 }) => Port);
  return { groups: SecurityGroups, ports };
}

async function rulesOf(client: EC2Client, groups: readonly string[]): Promise<SecurityGroupRule[]> {
  const rules: SecurityGroupRule[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await client.send(
      new DescribeSecurityGroupRulesCommand({
        Filters: [{ Name: 'group-id', Values: [...new Set(groups)] }],
        NextToken,
      }),
    );
    rules.push(...(answer.SecurityGroupRules ?? []));
    ({ NextToken } = answer);
  } while (NextToken !== undefined && NextToken !== '');
  return rules;
}

/** `-1`: every protocol and port (Amazon EC2 API, SecurityGroupRule). */
function covers({ IpProtocol, FromPort = -1, ToPort = -1 }: SecurityGroupRule, port: number): boolean {
  if (IpProtocol === '-1') return true;
  return IpProtocol === 'tcp' && (FromPort === -1 || (FromPort <= port && port <= ToPort));
}

/** A rule for addresses may well cover the other group: what cannot be told is not called closed. */
function names({ ReferencedGroupInfo }: SecurityGroupRule, groups: readonly string[]): boolean {
  return ReferencedGroupInfo === undefined || groups.includes(ReferencedGroupInfo.GroupId ?? '');
}
