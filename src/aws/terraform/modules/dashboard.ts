import { CloudwatchDashboard } from '@cdktn/provider-aws/lib/cloudwatch-dashboard/index.js';
import type { Construct } from 'constructs';

interface DashboardService {
  /** As it is headed: `production`, `us-east-1 production`. */
  title: string;
  region: string;
  clusterName: string;
  serviceName: string;
  loadBalancerName: string;
  /** The application's own metrics, where it has any: all of this namespace. */
  metricsNamespace?: string;
}

export interface DashboardInput {
  name: string;
  services: readonly DashboardService[];
  /** Shown above all: on or off at a glance. */
  alarmArns?: readonly string[];
}

const WIDTH = 24;
const HEIGHT = 6;
const ALARMS_HEIGHT = 3;

/** A row of graphs for each service: load, requests, errors, response time. Works over regions. */
export function dashboard(scope: Construct, id: string, input: DashboardInput): void {
  const { name, services, alarmArns = [] } = input;
  const top = alarmArns.length === 0 ? 0 : ALARMS_HEIGHT;
  const alarms = {
    type: 'alarm',
    x: 0,
    y: 0,
    width: WIDTH,
    height: top,
    properties: { title: 'People are affected', alarms: alarmArns },
  };
  const widgets = services.flatMap((service, row) =>
    graphs(service).map((graph, column, all) => ({
      type: 'metric',
      x: column * (WIDTH / all.length),
      y: top + row * HEIGHT,
      width: WIDTH / all.length,
      height: HEIGHT,
      properties: { region: service.region, view: 'timeSeries', stacked: false, period: 60, ...graph },
    })),
  );
  new CloudwatchDashboard(scope, id, {
    dashboardName: name,
    dashboardBody: JSON.stringify({ widgets: top === 0 ? widgets : [alarms, ...widgets] }),
  });
}

function graphs({ title, clusterName, serviceName, loadBalancerName, metricsNamespace }: DashboardService) {
  const ofService = ['ClusterName', clusterName, 'ServiceName', serviceName];
  const percent = { left: { min: 0, max: 100 } };
  return [
    {
      title: `${title}: CPU and memory, %`,
      yAxis: percent,
      metrics: [
        ['AWS/ECS', 'CPUUtilization', ...ofService, { stat: 'Average' }],
        ['AWS/ECS', 'MemoryUtilization', ...ofService, { stat: 'Average' }],
      ],
    },
    {
      title: `${title}: tasks`,
      yAxis: { left: { min: 0 } },
      metrics: [
        ['ECS/ContainerInsights', 'RunningTaskCount', ...ofService, { stat: 'Average' }],
        ['ECS/ContainerInsights', 'DesiredTaskCount', ...ofService, { stat: 'Average' }],
        [{ expression: search('UnHealthyHostCount', loadBalancerName, 'Maximum'), label: 'unhealthy' }],
      ],
    },
    {
      title: `${title}: requests and errors, a minute`,
      yAxis: { left: { min: 0 } },
      metrics: [
        'RequestCount',
        'HTTPCode_Target_4XX_Count',
        'HTTPCode_Target_5XX_Count',
        'HTTPCode_ELB_5XX_Count',
      ].map(metric => [{ expression: search(metric, loadBalancerName, 'Sum'), label: metric }]),
    },
    {
      title: `${title}: response time, s`,
      yAxis: { left: { min: 0 } },
      metrics: ['Average', 'p90', 'p99'].map(stat => [
        { expression: search('TargetResponseTime', loadBalancerName, stat), label: stat },
      ]),
    },
    ...(metricsNamespace === undefined
      ? []
      : [
          {
            title: `${title}: the application’s own`,
            metrics: [
              [{ expression: `SEARCH('Namespace="${metricsNamespace}"', 'Average', 60)`, label: '' }],
            ],
          },
        ]),
  ];
}

/** A load balancer's id is not known before it is there, and not at all in another region: so it is found by its name. */
function search(metric: string, loadBalancerName: string, stat: string): string {
  const dimensions = metric === 'UnHealthyHostCount' ? 'LoadBalancer,TargetGroup' : 'LoadBalancer';
  return `SEARCH('{AWS/ApplicationELB,${dimensions}} MetricName="${metric}" LoadBalancer="app/${loadBalancerName}/"', '${stat}', 60)`;
}
