import type { Account, Rule } from '../account.ts';
import { listOf, numberOf, type Resource } from '../resource.ts';

const DAYS_A_MONTH = 30;
/** CloudWatch bills stored logs compressed, which leaves about this much (CloudWatch pricing, examples). */
const LOG_COMPRESSION = 0.15;
/** What a build, a release or a function writes in one run is far below this. */
const RUN_LOG_MB = 1;
/** Retention of a group that has none: forever, of which a year is counted. */
const ENDLESS_DAYS = 365;

const logGroup: Rule = (resource, account) => {
  const ingestedGb = logGb(resource, account);
  const retentionDays = numberOf(resource.values['retention_in_days'], 0) || ENDLESS_DAYS;
  const storedGb = (ingestedGb * LOG_COMPRESSION * retentionDays) / DAYS_A_MONTH;
  return [
    { item: 'logs taken in', price: 'logIngestion', quantity: ingestedGb },
    { item: 'logs kept', price: 'logStorage', quantity: storedGb },
  ];
};

function logGb(resource: Resource, account: Account): number {
  const { usage } = account;
  if (account.referring(resource, 'aws_flow_log').length > 0) return usage.flowLogGb;
  if (account.referring(resource, 'aws_ecs_task_definition').length > 0) {
    return usage.logGb * account.trafficShare(resource);
  }
  return (usage.builds * RUN_LOG_MB) / 1024;
}

/** Container Insights is billed as metrics: so many of each (CloudWatch pricing, its example for Amazon ECS). */
const INSIGHTS_METRICS = { cluster: 8, service: 11, taskDefinition: 6 };

const cluster: Rule = (resource, account) => {
  const hasInsights = listOf(resource.values['setting']).some(
    ({ name, value }) => name === 'containerInsights' && value !== 'disabled',
  );
  const services = account.within(resource, 'aws_ecs_service').length;
  const metrics =
    INSIGHTS_METRICS.cluster + services * (INSIGHTS_METRICS.service + INSIGHTS_METRICS.taskDefinition);
  return hasInsights ? [{ item: 'Container Insights', price: 'insightsMetric', quantity: metrics }] : [];
};

/** An alarm costs by the metrics that it looks at; an anomaly band is two more. */
const alarm: Rule = ({ values }) => {
  const queries = listOf(values['metric_query']);
  const isBand = queries.some(({ expression }) => String(expression).includes('ANOMALY_DETECTION_BAND'));
  const metrics = queries.filter(query => listOf(query['metric']).length > 0).length;
  return [{ item: 'alarms', price: 'alarm', quantity: Math.max(1, metrics) + (isBand ? 2 : 0) }];
};

export const observabilityRules: Readonly<Record<string, Rule>> = {
  aws_cloudwatch_log_group: logGroup,
  aws_ecs_cluster: cluster,
  aws_cloudwatch_metric_alarm: alarm,
  aws_cloudwatch_composite_alarm: () => [{ item: 'composite alarms', price: 'compositeAlarm', quantity: 1 }],
  aws_cloudwatch_dashboard: () => [{ item: 'dashboards', price: 'dashboard', quantity: 1 }],
  aws_cloudwatch_log_metric_filter: () => [{ item: 'metrics from logs', price: 'metric', quantity: 1 }],
};
