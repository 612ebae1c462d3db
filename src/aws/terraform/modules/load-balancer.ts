import { LbListenerRule } from '@cdktn/provider-aws/lib/lb-listener-rule/index.js';
import { LbListener } from '@cdktn/provider-aws/lib/lb-listener/index.js';
import { LbTargetGroup } from '@cdktn/provider-aws/lib/lb-target-group/index.js';
import { Lb } from '@cdktn/provider-aws/lib/lb/index.js';
import { SecurityGroup } from '@cdktn/provider-aws/lib/security-group/index.js';
import { VpcSecurityGroupEgressRule } from '@cdktn/provider-aws/lib/vpc-security-group-egress-rule/index.js';
import { VpcSecurityGroupIngressRule } from '@cdktn/provider-aws/lib/vpc-security-group-ingress-rule/index.js';
import { Construct } from 'constructs';
import type { PolicyStatement } from '../policy.ts';

interface HealthCheckInput {
  path: string;
  intervalSeconds: number;
  timeoutSeconds: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
  /** Status codes that count as healthy: `200`, `200-299`. */
  matcher: string;
}

export interface LoadBalancerInput {
  /** At most 32 characters. */
  name: string;
  /** At most 32 characters each. With two, deployments move requests from one to the other, and own their weights. */
  targetGroupNames: readonly [string] | readonly [string, string];
  vpcId: string;
  publicSubnetIds: string[];
  /** The port that tasks listen on. */
  port: number;
  healthCheck: HealthCheckInput;
  deregistrationDelaySeconds: number;
  /** With a certificate: HTTPS, and HTTP only to redirect to it. */
  https?: { certificateArn: string };
  /** A bucket that takes its access logs; see `accessLogStatement`. */
  accessLogs?: { bucket: string; prefix: string };
  /** AWS then refuses to delete the load balancer. */
  deletionProtection: boolean;
}

export interface LoadBalancerOutput {
  arn: string;
  dnsName: string;
  zoneId: string;
  securityGroupId: string;
  /** One for each name that was given. */
  targetGroups: {
    arn: string;
    /** `targetgroup/name/id`, the TargetGroup dimension of metrics. */ dimension: string;
  }[];
  /** `app/name/id`, the LoadBalancer dimension of metrics. */
  dimension: string;
  /** Sends every request to the target groups. */
  rule: LbListenerRule;
}

/** TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only. */
const TLS_POLICY = 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06';
const ANYWHERE = '0.0.0.0/0';

/** An application load balancer in public subnets, its target group and its listeners. */
export function loadBalancer(scope: Construct, id: string, input: LoadBalancerInput): LoadBalancerOutput {
  const here = new Construct(scope, id);
  const { name } = input;
  const group = new SecurityGroup(here, 'group', {
    name: `${name}-load-balancer`,
    description: `The load balancer ${name}: HTTP from anywhere`,
    vpcId: input.vpcId,
    tags: { Name: `${name}-load-balancer` },
  });
  for (const port of input.https ? [80, 443] : [80]) {
    new VpcSecurityGroupIngressRule(here, port === 80 ? 'http' : 'https', {
      securityGroupId: group.id,
      description: port === 80 ? 'HTTP from anywhere' : 'HTTPS from anywhere',
      ipProtocol: 'tcp',
      fromPort: port,
      toPort: port,
      cidrIpv4: ANYWHERE,
    });
  }
  const balancer = new Lb(here, 'load-balancer', {
    name,
    loadBalancerType: 'application',
    internal: false,
    subnets: input.publicSubnetIds,
    securityGroups: [group.id],
    dropInvalidHeaderFields: true,
    enableDeletionProtection: input.deletionProtection,
    ...(input.accessLogs && { accessLogs: { ...input.accessLogs, enabled: true } }),
  });
  const groups = input.targetGroupNames.map((targetGroupName, index) =>
    targetGroup(here, index === 0 ? 'targets' : 'other-targets', { ...input, targetGroupName }),
  );
  return {
    arn: balancer.arn,
    dnsName: balancer.dnsName,
    zoneId: balancer.zoneId,
    securityGroupId: group.id,
    targetGroups: groups.map(({ arn, arnSuffix }) => ({ arn, dimension: arnSuffix })),
    dimension: balancer.arnSuffix,
    rule: forwarding(here, input, listeners(here, input, balancer.arn), groups),
  };
}

/**
 * Lets load balancers of this account write access logs into a bucket (Elastic Load Balancing, "Enable access logs"). The
 * bucket must be encrypted with S3's own key.
 */
export function accessLogStatement(bucketArn: string, accountId: string): PolicyStatement {
  return {
    Sid: 'AccessLogs',
    Principal: { Service: 'logdelivery.elasticloadbalancing.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: `${bucketArn}/*/AWSLogs/${accountId}/*`,
    Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
  };
}

/** Lets a load balancer reach tasks, and nothing else reach them: each group names the other. */
export function allowTasks(
  scope: Construct,
  { balancerGroupId, tasksGroupId, port }: { balancerGroupId: string; tasksGroupId: string; port: number },
): void {
  const range = { ipProtocol: 'tcp', fromPort: port, toPort: port };
  new VpcSecurityGroupEgressRule(scope, 'to-tasks', {
    ...range,
    securityGroupId: balancerGroupId,
    description: 'Requests and health checks to the tasks',
    referencedSecurityGroupId: tasksGroupId,
  });
  new VpcSecurityGroupIngressRule(scope, 'from-load-balancer', {
    ...range,
    securityGroupId: tasksGroupId,
    description: 'Requests and health checks from the load balancer',
    referencedSecurityGroupId: balancerGroupId,
  });
}

function targetGroup(
  scope: Construct,
  id: string,
  input: LoadBalancerInput & { targetGroupName: string },
): LbTargetGroup {
  const { healthCheck: check } = input;
  return new LbTargetGroup(scope, id, {
    name: input.targetGroupName,
    vpcId: input.vpcId,
    targetType: 'ip',
    protocol: 'HTTP',
    port: input.port,
    deregistrationDelay: String(input.deregistrationDelaySeconds),
    loadBalancingAlgorithmType: 'least_outstanding_requests',
    healthCheck: {
      path: check.path,
      interval: check.intervalSeconds,
      timeout: check.timeoutSeconds,
      healthyThreshold: check.healthyThreshold,
      unhealthyThreshold: check.unhealthyThreshold,
      matcher: check.matcher,
    },
  });
}

/** A rule of its own, not the listener's default: ECS changes weights in rules only. */
function forwarding(
  scope: Construct,
  { name }: LoadBalancerInput,
  listener: LbListener,
  groups: readonly LbTargetGroup[],
): LbListenerRule {
  const [first] = groups;
  return new LbListenerRule(scope, 'forwarding', {
    listenerArn: listener.arn,
    priority: 1,
    condition: [{ pathPattern: { values: ['/*'] } }],
    ...(groups.length === 1
      ? { action: [{ type: 'forward', targetGroupArn: first!.arn }] }
      : {
          action: [
            {
              type: 'forward',
              forward: {
                targetGroup: groups.map(({ arn }, index) => ({ arn, weight: index === 0 ? 100 : 0 })),
              },
            },
          ],
          // Which of the two has the requests is up to the last deployment: that is no drift.
          lifecycle: { ignoreChanges: ['action'] },
        }),
    tags: { Name: `${name}-forwarding` },
  });
}

/** The listener that requests for the tasks come in by; with HTTPS, a second one redirects to it. */
function listeners(
  scope: Construct,
  { https, name }: LoadBalancerInput,
  loadBalancerArn: string,
): LbListener {
  const nothing = [
    {
      type: 'fixed-response',
      fixedResponse: { statusCode: '503', contentType: 'text/plain', messageBody: 'No rule applies' },
    },
  ];
  if (!https) {
    return new LbListener(scope, 'http-listener', {
      loadBalancerArn,
      port: 80,
      protocol: 'HTTP',
      defaultAction: nothing,
      tags: { Name: `${name}-http` },
    });
  }
  new LbListener(scope, 'http-listener', {
    loadBalancerArn,
    port: 80,
    protocol: 'HTTP',
    defaultAction: [
      { type: 'redirect', redirect: { protocol: 'HTTPS', port: '443', statusCode: 'HTTP_301' } },
    ],
    tags: { Name: `${name}-http` },
  });
  return new LbListener(scope, 'https-listener', {
    loadBalancerArn,
    port: 443,
    protocol: 'HTTPS',
    sslPolicy: TLS_POLICY,
    certificateArn: https.certificateArn,
    defaultAction: nothing,
    tags: { Name: `${name}-https` },
  });
}
