import { CloudwatchEventRule } from '@cdktn/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktn/provider-aws/lib/cloudwatch-event-target/index.js';
import { LambdaPermission } from '@cdktn/provider-aws/lib/lambda-permission/index.js';
import { Construct } from 'constructs';
import type { RegionName } from '../../../model/names.ts';
import type { Remedy } from '../../../model/remediation.ts';
import type { PolicyStatement } from '../policy.ts';
import { lambdaFunction } from './lambda-function.ts';
import { stateTable } from './state-table.ts';

export interface RemediationInput {
  /** Of the function and its table; at most 64 characters. */
  name: string;
  region: RegionName;
  accountId: string;
  cluster: string;
  service: string;
  /** Autoscaling's own. */
  maximumCount: number;
  /** By the full names of the service's alarms; at least one. */
  remedies: Readonly<Record<string, Remedy>>;
  /** For the remedy `call`; empty: there is none. */
  hookUrl: string;
  limit: { maximumActions: number; withinMinutes: number };
  roleName: string;
  ruleName: string;
  /** Told of everything that is done. */
  topic: { arn: string; keyAlias: string };
  logRetentionDays: number;
}

/** Does something about a service's alarms, so often and no more. */
export function remediation(scope: Construct, id: string, input: RemediationInput): void {
  const here = new Construct(scope, id);
  // What it remembers is of use for a day at most, so nothing is lost with it.
  const table = stateTable(here, 'memory', { name: input.name, partition: 'service', protect: false });
  const code = lambdaFunction(here, 'function', {
    name: input.name,
    description: `Does something about the alarms of ${input.service}`,
    accountId: input.accountId,
    roleName: input.roleName,
    code: 'remediation',
    environment: {
      CLUSTER: input.cluster,
      SERVICE: input.service,
      MAXIMUM_COUNT: String(input.maximumCount),
      ...(input.hookUrl !== '' && { HOOK_URL: input.hookUrl }),
      TABLE: table.name,
      TOPIC_ARN: input.topic.arn,
      REMEDIES: JSON.stringify(input.remedies),
      MAXIMUM_ACTIONS: String(input.limit.maximumActions),
      WITHIN_SECONDS: String(input.limit.withinMinutes * 60),
    },
    timeoutSeconds: 60,
    memoryMb: 256,
    deadLetterArn: input.topic.arn,
    logRetentionDays: input.logRetentionDays,
    statements: statements(input, table.arn),
  });
  const rule = new CloudwatchEventRule(here, 'alarm', {
    name: input.ruleName,
    description: `Alarms of ${input.service} that set something off`,
    eventPattern: JSON.stringify({
      source: ['aws.cloudwatch'],
      'detail-type': ['CloudWatch Alarm State Change'],
      detail: { alarmName: Object.keys(input.remedies), state: { value: ['ALARM'] } },
    }),
  });
  new CloudwatchEventTarget(here, 'target', { rule: rule.name, targetId: 'remediation', arn: code.arn });
  new LambdaPermission(here, 'permission', {
    statementId: 'Alarm',
    action: 'lambda:InvokeFunction',
    functionName: code.name,
    principal: 'events.amazonaws.com',
    sourceArn: rule.arn,
  });
}

/** What its remedies need, and no more. */
function statements(
  { region, accountId, cluster, service, remedies, topic }: RemediationInput,
  tableArn: string,
): PolicyStatement[] {
  const inRegion = `arn:aws:ecs:${region}:${accountId}`;
  const used = new Set(Object.values(remedies));
  const touches = used.has('restart') || used.has('scale-out') || used.has('roll-back');
  return [
    { Sid: 'Remember', Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: tableArn },
    { Sid: 'Tell', Action: 'sns:Publish', Resource: topic.arn },
    {
      Sid: 'EncryptWhatIsTold',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      // The topic's key is another stack's, and only its alias is known.
      Resource: `arn:aws:kms:${region}:${accountId}:key/*`,
      Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': topic.keyAlias } },
    },
    ...(touches
      ? [
          {
            Sid: 'Change',
            Action: ['ecs:UpdateService', 'ecs:DescribeServices'],
            Resource: `${inRegion}:service/${cluster}/${service}`,
          },
        ]
      : []),
    ...(used.has('roll-back')
      ? [
          {
            Sid: 'FindDeployments',
            Action: 'ecs:ListServiceDeployments',
            Resource: `${inRegion}:service/${cluster}/${service}`,
          },
          {
            Sid: 'RollBack',
            Action: 'ecs:StopServiceDeployment',
            Resource: `${inRegion}:service-deployment/${cluster}/${service}/*`,
          },
          {
            Sid: 'ReadRevisions',
            Action: 'ecs:DescribeServiceRevisions',
            Resource: `${inRegion}:service-revision/${cluster}/${service}/*`,
          },
        ]
      : []),
  ];
}
