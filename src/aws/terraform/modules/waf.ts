import { Wafv2WebAclAssociation } from '@cdktn/provider-aws/lib/wafv2-web-acl-association/index.js';
import { Wafv2WebAclLoggingConfiguration } from '@cdktn/provider-aws/lib/wafv2-web-acl-logging-configuration/index.js';
import { Wafv2WebAcl, type Wafv2WebAclRule } from '@cdktn/provider-aws/lib/wafv2-web-acl/index.js';
import { Construct } from 'constructs';
import { logGroup } from './log-group.ts';

export interface WafInput {
  name: string;
  loadBalancerArns: readonly string[];
  /** Requests that one client address may send in five minutes; 10 at least. */
  requestsPerClient: number;
  /** Rule groups that AWS keeps up to date, by their names: `AWSManagedRulesCommonRuleSet`. */
  managedRuleGroups: readonly string[];
  logRetentionDays: number;
}

export interface WafOutput {
  arn: string;
}

/** The longest window there is but one: bursts pass, floods do not. */
const WINDOW_SECONDS = 300;
/** What identifies people must not lie in logs. */
const REDACTED_HEADERS = ['authorization', 'cookie'];

/**
 * A firewall in front of load balancers: it refuses (403) who asks too often, and what looks like an attack. What it
 * refused is logged, without credentials.
 */
export function waf(scope: Construct, id: string, input: WafInput): WafOutput {
  const here = new Construct(scope, id);
  const acl = new Wafv2WebAcl(here, 'waf', {
    name: input.name,
    description: `Guards ${input.name}`,
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    rule: [
      rateLimit(input),
      ...input.managedRuleGroups.map((group, index) => managedRules(input.name, group, index + 1)),
    ],
    visibilityConfig: visibility(input.name),
  });
  input.loadBalancerArns.forEach((resourceArn, index) => {
    new Wafv2WebAclAssociation(here, `association-${index + 1}`, { webAclArn: acl.arn, resourceArn });
  });
  // WAF writes only to groups whose names begin so.
  const logs = logGroup(here, 'logs', {
    name: `aws-waf-logs-${input.name}`,
    retentionDays: input.logRetentionDays,
  });
  new Wafv2WebAclLoggingConfiguration(here, 'logging', {
    resourceArn: acl.arn,
    logDestinationConfigs: [logs.arn],
    redactedFields: REDACTED_HEADERS.map(name => ({ singleHeader: { name } })),
    loggingFilter: {
      defaultBehavior: 'DROP',
      filter: [
        {
          behavior: 'KEEP',
          requirement: 'MEETS_ANY',
          condition: [{ actionCondition: { action: 'BLOCK' } }, { actionCondition: { action: 'COUNT' } }],
        },
      ],
    },
  });
  return { arn: acl.arn };
}

function rateLimit({ name, requestsPerClient }: WafInput): Wafv2WebAclRule {
  return {
    name: 'rate-limit',
    priority: 0,
    action: { block: {} },
    statement: {
      // Untyped in the provider's bindings, so in Terraform's own words.
      rate_based_statement: {
        limit: requestsPerClient,
        aggregate_key_type: 'IP',
        evaluation_window_sec: WINDOW_SECONDS,
      },
    },
    visibilityConfig: visibility(`${name}-rate-limit`),
  };
}

function managedRules(name: string, group: string, priority: number): Wafv2WebAclRule {
  return {
    name: group,
    priority,
    overrideAction: { none: {} },
    statement: { managed_rule_group_statement: { vendor_name: 'AWS', name: group } },
    visibilityConfig: visibility(`${name}-${group}`),
  };
}

function visibility(metricName: string) {
  return { cloudwatchMetricsEnabled: true, sampledRequestsEnabled: true, metricName };
}
