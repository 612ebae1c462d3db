import { BudgetsClient, DescribeBudgetCommand, NotFoundException } from '@aws-sdk/client-budgets';
import { CloudTrailClient, DescribeTrailsCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchClient, paginateDescribeAlarms, paginateListDashboards } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { using } from '../using-client.ts';
import { absent, amongListed, askEach, type FindTaken, type NamedKinds } from './named-kind.ts';

/** Of what begins with a name, the name itself comes first. */
const logGroups: FindTaken = (settings, names) =>
  using(new CloudWatchLogsClient(settings), client =>
    askEach(names, async name => {
      const { logGroups: found = [] } = await client.send(
        new DescribeLogGroupsCommand({ logGroupNamePrefix: name }),
      );
      return found.some(({ logGroupName }) => logGroupName === name);
    }),
  );

/** As many as one call asks for. */
const ALARMS_A_CALL = 100;

/** Both types share their names, and making one that exists replaces it (API reference, PutMetricAlarm). */
const alarms: FindTaken = (settings, names) =>
  using(new CloudWatchClient(settings), async client => {
    const found = [];
    for (let first = 0; first < names.length; first += ALARMS_A_CALL) {
      const AlarmNames = names.slice(first, first + ALARMS_A_CALL);
      const pages = paginateDescribeAlarms(
        { client },
        { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
      );
      found.push(
        ...(await amongListed(AlarmNames, pages, ({ MetricAlarms = [], CompositeAlarms = [] }) =>
          [...MetricAlarms, ...CompositeAlarms].map(({ AlarmName: name }) => ({ name })),
        )),
      );
    }
    return found;
  });

/** In the whole account; making one that exists replaces it (API reference, PutDashboard). */
const dashboards: FindTaken = (settings, names) =>
  using(new CloudWatchClient(settings), client =>
    amongListed(names, paginateListDashboards({ client }, {}), ({ DashboardEntries }) =>
      DashboardEntries?.map(({ DashboardName: name }) => ({ name })),
    ),
  );

/** Those of other regions too, if they follow what happens in this one. */
const trails: FindTaken = (settings, names) =>
  using(new CloudTrailClient(settings), async client => {
    const { trailList = [] } = await client.send(new DescribeTrailsCommand({ trailNameList: [...names] }));
    return trailList.flatMap(({ Name: name, TrailARN: importId }) =>
      name !== undefined && importId !== undefined ? [{ name, importId }] : [],
    );
  });

/** In the whole account, whose number each call takes. */
const budgets: FindTaken = async (settings, names) => {
  const { Account: AccountId = '' } = await using(new STSClient(settings), client =>
    client.send(new GetCallerIdentityCommand({})),
  );
  return using(new BudgetsClient(settings), client =>
    askEach(names, BudgetName =>
      client
        .send(new DescribeBudgetCommand({ AccountId, BudgetName }))
        .then(() => ({
          importId: `${AccountId}:${BudgetName}`,
          command: `budgets delete-budget --account-id ${AccountId} --budget-name $name`,
        }))
        .catch(absent(NotFoundException)),
    ),
  );
};

const ALARM = {
  title: 'alarm',
  name: 'alarm_name',
  findTaken: alarms,
  command: 'cloudwatch delete-alarms --alarm-names $name',
};

export const MONITORING: NamedKinds = {
  aws_cloudwatch_log_group: {
    title: 'log group',
    name: 'name',
    findTaken: logGroups,
    command:
      'logs describe-log-streams --order-by LastEventTime --descending --max-items 1 --log-group-name $name',
  },
  aws_cloudwatch_metric_alarm: ALARM,
  aws_cloudwatch_composite_alarm: ALARM,
  aws_cloudwatch_dashboard: {
    title: 'dashboard',
    name: 'dashboard_name',
    findTaken: dashboards,
    command: 'cloudwatch delete-dashboards --dashboard-names $name',
  },
  aws_cloudtrail: {
    title: 'trail',
    name: 'name',
    findTaken: trails,
    command: 'cloudtrail get-trail-status --name $id',
  },
  aws_budgets_budget: { title: 'budget', name: 'name', findTaken: budgets },
};
