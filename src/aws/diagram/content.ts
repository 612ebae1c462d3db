import { environmentConfig } from '../../model/config/environment.ts';
import type { Config } from '../../model/config/schema.ts';
import { taskCounts } from '../../model/config/standby.ts';
import { ENVIRONMENTS, PIPELINE_ENVIRONMENTS, type Environment } from '../../model/names.ts';
import type { Box } from './layout.ts';

const ZONES = ['a', 'b'] as const;

/** Where people come in. */
export function entryBox({ domain, routing, regions }: Config): Box {
  if (domain.name === '') {
    return {
      kind: 'entry',
      title: 'People',
      lines: ['No domain: every load balancer has an address of its own, by HTTP'],
    };
  }
  const order = {
    failover: regions.length > 1 ? `failover: ${regions.join(', then ')}` : 'one region',
    latency: 'to the nearest healthy region',
    weighted: `by weight: ${regions.map(region => `${region} ${routing.weights[region] ?? 100}`).join(', ')}`,
    geolocation: 'by where people are',
  }[routing.policy];
  const { intervalSeconds, failureThreshold } = routing.healthCheck;
  const checks = `health checks every ${intervalSeconds} s, ${failureThreshold} failures in a row`;
  return {
    kind: 'entry',
    title: `People, to https://${domain.name}`,
    lines: [`Route 53, ${order}`, ...(regions.length > 1 ? [checks] : [])],
  };
}

/** Everything of one region. */
export function regionBox(config: Config, region: Config['regions'][number]): Box {
  const index = config.regions.indexOf(region);
  const isPrimary = index === 0 && config.regions.length > 1;
  const standby = { full: '', warm: ', warm standby', 'pilot-light': ', pilot light' }[config.aws.standby];
  const role = isPrimary ? ', primary' : index > 0 ? standby : '';
  return {
    kind: 'region',
    id: region,
    title: `${region}${role}`,
    children: [
      networkBox(config, region, config.network.firstBlock + index),
      deliveryBox(config, region),
      watchBox(config),
    ],
  };
}

function networkBox(config: Config, region: Config['regions'][number], block: number): Box {
  const environments = environmentsOf(config, region);
  return {
    kind: 'network',
    id: `${region} network`,
    title: `Network 10.${block}.0.0/16${config.network.flowLogs ? ', flow logs' : ''}`,
    children: [
      {
        kind: 'frameless',
        title: '',
        direction: 'row',
        children: environments.map(environment => loadBalancerBox(config, environment, region)),
      },
      {
        kind: 'frameless',
        title: '',
        direction: 'row',
        children: ZONES.map((zone, index) => zoneBox(config, { region, block, zone, index })),
      },
      ...outwardBoxes(config),
    ],
  };
}

/** Production first: that is what people look for. */
function environmentsOf(config: Config, region: string): Environment[] {
  const hasDev = config.environments.dev.enabled && region === config.regions[0];
  return [...(hasDev ? ENVIRONMENTS : PIPELINE_ENVIRONMENTS)].reverse();
}

function loadBalancerBox(config: Config, environment: Environment, region: string): Box {
  const { domain } = config;
  const { service } = environmentConfig(config, environment);
  const { minimumCount, maximumCount } = taskCounts(config, environment, region, service);
  const host = environment === 'production' ? domain.name : `${environment}.${domain.name}`;
  return {
    kind: 'resource',
    id: `${region} ${environment}`,
    title: `Load balancer, ${environment}`,
    lines: [
      domain.name === '' ? 'HTTP' : `HTTPS ${host}`,
      `${minimumCount} to ${maximumCount} tasks, port ${service.port}`,
    ],
  };
}

interface Zone {
  region: string;
  block: number;
  zone: (typeof ZONES)[number];
  index: number;
}

function zoneBox(config: Config, { region, block, zone, index }: Zone): Box {
  const { nat } = config.network;
  const hasNat = nat === 'per-zone' || (nat === 'single' && index === 0);
  return {
    kind: 'zone',
    title: `${region}${zone}`,
    children: [
      {
        kind: 'public',
        title: 'Public',
        lines: [`10.${block}.${index + 1}.0/24`],
        children: hasNat ? [{ kind: 'resource', title: 'NAT gateway' }] : [],
      },
      {
        kind: 'private',
        title: 'Private',
        lines: [`10.${block}.${index + 11}.0/24`],
        children: environmentsOf(config, region).map(environment => tasksBox(config, environment)),
      },
    ],
  };
}

function tasksBox(config: Config, environment: Environment): Box {
  const { cpu, memoryMb } = environmentConfig(config, environment).service;
  const { architecture, spotPercent } = config.aws;
  const spot = spotPercent > 0 ? `, ${spotPercent} % Spot` : '';
  return {
    kind: 'resource',
    title: `${environment} tasks`,
    lines: [
      `Fargate ${architecture === 'ARM64' ? 'ARM' : 'x86'}${spot}`,
      `${cpu / 1024} vCPU, ${memoryMb} MB`,
    ],
  };
}

function outwardBoxes({ network }: Config): Box[] {
  if (network.nat === 'regional') {
    return [
      {
        kind: 'resource',
        title: 'Regional NAT gateway',
        lines: ['in every zone; endpoints for S3, DynamoDB'],
      },
    ];
  }
  const services = network.nat === 'none' ? 'S3, DynamoDB, what tasks call; no way outside' : 'S3, DynamoDB';
  return [{ kind: 'resource', title: 'VPC endpoints', lines: [services] }];
}

function deliveryBox(config: Config, region: Config['regions'][number]): Box {
  const { pipeline, registry } = config;
  const others = config.regions.filter(other => other !== region);
  const to = others.length === 0 ? [] : [`replicated to ${others.join(', ')}`];
  const approval = pipeline.approval.required ? [stage('Approval', 'a person')] : [];
  return {
    kind: 'group',
    id: `${region} delivery`,
    title: 'Delivery',
    lines: [`CodePipeline, from a push to ${pipeline.branch}`],
    children: [
      {
        kind: 'frameless',
        title: '',
        direction: 'row',
        children: [
          stage('Source', 'push'),
          stage('Build', 'tests'),
          stage('Staging', 'deploy'),
          ...approval,
          stage('Production', 'deploy'),
        ],
      },
      {
        kind: 'frameless',
        title: '',
        direction: 'row',
        children: [
          { kind: 'resource', title: 'Repository', lines: ['CodeCommit', ...to] },
          { kind: 'resource', title: 'Images', lines: [`ECR, ${registry.keepImages} newest`, ...to] },
          { kind: 'resource', title: 'State', lines: ['Terraform, in S3'] },
        ],
      },
    ],
  };
}

function stage(title: string, line: string): Box {
  return { kind: 'stage', title, lines: [line] };
}

function watchBox({ logs, notifications }: Config): Box {
  const people = notifications.emails.length;
  return {
    kind: 'frameless',
    title: '',
    direction: 'row',
    children: [
      {
        kind: 'resource',
        title: 'CloudWatch',
        lines: ['dashboard, alarms', `logs for ${logs.retentionDays} days`],
      },
      {
        kind: 'resource',
        title: 'Notifications',
        lines: [people === 0 ? 'nobody yet' : `e-mail to ${people} ${people === 1 ? 'person' : 'people'}`],
      },
    ],
  };
}
