import type { KeyPath } from './manifest.ts';

/** What becomes of one key of a manifest; `*` in a key stands for any name or place in a list. */
export interface KeyRule {
  key: string;
  /** Where its value goes, when it goes anywhere. */
  into?: string;
  /** What to do, when it goes nowhere. */
  mend?: string;
}

const taken = (into: string, ...keys: string[]): KeyRule[] => keys.map(key => ({ key, into }));
const left = (mend: string, ...keys: string[]): KeyRule[] => keys.map(key => ({ key, mend }));

/** Copilot's manifests of services (its documentation, "Load Balanced Web Service" and its kin). */
export const SERVICE_KEYS: readonly KeyRule[] = [
  ...taken('application', 'name'),
  ...taken('the kind of service', 'type'),
  ...taken('buildspec.yml', 'image.build'),
  ...taken(
    'buildspec.yml',
    'image.build.dockerfile',
    'image.build.context',
    'image.build.target',
    'image.build.args',
  ),
  ...taken('Dockerfile', 'image.location'),
  ...taken('service.port', 'image.port'),
  ...taken('the only service', 'http.path'),
  ...taken('service.healthCheck.path', 'http.healthcheck', 'http.healthcheck.path'),
  ...taken('service.healthCheck.matcher', 'http.healthcheck.success_codes'),
  ...taken('service.healthCheck.healthyThreshold', 'http.healthcheck.healthy_threshold'),
  ...taken('service.healthCheck.unhealthyThreshold', 'http.healthcheck.unhealthy_threshold'),
  ...taken('service.healthCheck.intervalSeconds', 'http.healthcheck.interval'),
  ...taken('service.healthCheck.timeoutSeconds', 'http.healthcheck.timeout'),
  ...taken('service.healthCheck.gracePeriodSeconds', 'http.healthcheck.grace_period'),
  ...taken('service.deregistrationDelaySeconds', 'http.deregistration_delay'),
  ...taken('domain.name', 'http.alias', 'http.alias.*.name', 'http.alias.*'),
  ...taken('domain.zoneId', 'http.hosted_zone', 'http.alias.*.hosted_zone'),
  ...taken('domain', 'http.redirect_to_https'),
  ...taken('service.cpu', 'cpu'),
  ...taken('service.memoryMb', 'memory'),
  ...taken('aws.architecture', 'platform', 'platform.architecture'),
  ...taken('service.minimumCount, service.maximumCount', 'count', 'count.range'),
  ...taken('service.minimumCount', 'count.range.min'),
  ...taken('service.maximumCount', 'count.range.max'),
  ...taken('aws.spotPercent', 'count.spot', 'count.range.spot_from'),
  ...taken('scaling.cpuPercent', 'count.cpu_percentage', 'count.cpu_percentage.value'),
  ...taken('scaling.memoryPercent', 'count.memory_percentage', 'count.memory_percentage.value'),
  ...taken('scaling.requestsPerTarget', 'count.requests', 'count.requests.value'),
  ...taken('scaling.scaleInCooldownSeconds', 'count.cooldown.in'),
  ...taken('scaling.scaleOutCooldownSeconds', 'count.cooldown.out'),
  ...taken('deployment.minimumHealthyPercent, deployment.maximumPercent', 'deployment.rolling'),
  ...taken('network', 'network.vpc.placement'),
  ...taken('service.environment', 'variables'),
  ...taken('secrets', 'secrets'),
  ...taken('logs.retentionDays', 'logging.retention'),
  ...taken('monitoring.collector', 'observability.tracing'),

  ...left(
    'Tandem’s builds reuse what the Dockerfile’s own stages give; leave it out',
    'image.build.cache_from',
  ),
  ...left('write it into the Dockerfile, as LABEL', 'image.labels'),
  ...left('copy the image into a registry that needs no password, and build FROM there', 'image.credentials'),
  ...left(
    'the load balancer asks service.healthCheck.path of every task; what the command looks at belongs there',
    'image.healthcheck',
  ),
  ...left('a task runs one container: let it wait by itself', 'image.depends_on'),
  ...left('the health check asks the port that serves', 'http.healthcheck.port'),
  ...left(
    'keep sessions where every task finds them: a database, a cache, a signed cookie',
    'http.stickiness',
  ),
  ...left(
    'let the application refuse other addresses; waf limits how often one may ask',
    'http.allowed_source_ips',
  ),
  ...left('requests go to the one container; let it do what the other one did', 'http.target_container'),
  ...left('the load balancer speaks HTTP/1.1 to the tasks', 'http.version'),
  ...left('one service answers all paths and names: let the application route', 'http.additional_rules'),
  ...left('Tandem’s load balancer is public', 'http.private', 'http.privateendpoint'),
  ...left('Tandem has an application load balancer only: HTTP and HTTPS', 'nlb'),
  ...left('Fargate’s platform is Linux; build for it', 'platform.osfamily'),
  ...left(
    'scale on CPU, memory or requests; alarms.responseTimeSeconds tells of slow answers',
    'count.response_time',
  ),
  ...left(
    'one cooldown is for all metrics: scaling.scaleInCooldownSeconds, scaling.scaleOutCooldownSeconds',
    'count.cpu_percentage.cooldown',
    'count.memory_percentage.cooldown',
    'count.requests.cooldown',
  ),
  ...left('look at it from outside: tandem logs, tandem events; there is no shell into a task', 'exec'),
  ...left('Tandem’s own alarms are under alarms', 'deployment.rollback_alarms'),
  ...left('write it into the Dockerfile, as ENTRYPOINT', 'entrypoint'),
  ...left('write it into the Dockerfile, as CMD', 'command'),
  ...left(
    'only the load balancer reaches the tasks; what they reach is theirs to ask',
    'network.vpc.security_groups',
  ),
  ...left('there is one service: reach others by their public names', 'network.connect'),
  ...left('write its lines into service.environment; what is secret does not belong there', 'env_file'),
  ...left('keep files in S3, shared ones in a database; a task’s own disk is Fargate’s 20 GB', 'storage'),
  ...left('make the topic outside, and name it to the application in service.environment', 'publish'),
  ...left('read the queue with another tool: Tandem runs what answers requests', 'subscribe'),
  ...left('logs go to CloudWatch, and from there anywhere', 'logging.*'),
  ...left(
    'change what `tandem synth` writes, or ask whether a key of tandem.config.ts does it',
    'taskdef_overrides',
  ),
  ...left('a task runs one container: put what the other one did into the application', 'sidecars'),
  ...left('Tandem has its own tags: owner, costCenter', 'tags'),
];

export const ENVIRONMENT_KEYS: readonly KeyRule[] = [
  ...taken('environments', 'name', 'type'),
  ...taken('network.firstBlock', 'network.vpc.cidr'),
  ...taken('network.flowLogs', 'network.vpc.flow_logs', 'network.vpc.flow_logs.retention'),
  ...left('Tandem makes a network of its own; peer it with the old one while you move', 'network.vpc.id'),
  ...left('subnets follow from network.firstBlock', 'network.vpc.subnets'),
  ...left('only the load balancer reaches the tasks', 'network.vpc.security_group'),
  ...left('put CloudFront before domain.name by hand', 'cdn'),
  ...left('Tandem makes its own certificate, from domain.name and domain.zoneId', 'http.public.certificates'),
  ...left(
    'let the application refuse other addresses; waf limits how often one may ask',
    'http.public.ingress',
  ),
  ...left(
    'let the application refuse other addresses; waf limits how often one may ask',
    'http.public.security_groups',
  ),
  ...left('Tandem’s listeners take TLS 1.2 and 1.3', 'http.public.ssl_policy'),
  ...left('switch them on at the load balancer', 'http.public.access_logs'),
  ...left('Tandem’s load balancer is public', 'http.private'),
  ...left('Tandem’s cluster has what its alarms need', 'observability'),
];

export const PIPELINE_KEYS: readonly KeyRule[] = [
  ...taken('pipeline', 'name', 'version'),
  ...taken('a Git repository in every region', 'source.provider'),
  ...taken('pipeline.branch', 'source.properties.branch'),
  ...taken('environments', 'stages.*.name'),
  ...taken('pipeline.approval.required', 'stages.*.requires_approval'),
  ...left(
    'push the repository to Tandem’s, as one more remote',
    'source.properties.repository',
    'source.properties.connection_name',
    'source.properties.access_token_secret',
  ),
  ...left('CodeBuild gets a full clone', 'source.properties.output_artifact_format'),
  ...left('Tandem chooses the image that fits aws.architecture', 'build.image'),
  ...left('Tandem’s buildspec.yml is written anew; carry your own commands over', 'build.buildspec'),
  ...left('a build may push the image, and nothing else', 'build.additional_policy'),
  ...left('there is one service to deploy', 'stages.*.deployments'),
  ...left(
    'run it in buildspec.yml before the image is built; what must follow staging is seen at the approval',
    'stages.*.test_commands',
    'stages.*.pre_deployments',
    'stages.*.post_deployments',
  ),
];

/** The rule for exactly this key. */
export function ruleFor(rules: readonly KeyRule[], path: KeyPath): KeyRule | undefined {
  return rules.find(({ key }) => matches(key.split('.'), path) && key.split('.').length === path.length);
}

/** Whether some rule is about a key below this one. */
export function hasRulesBelow(rules: readonly KeyRule[], path: KeyPath): boolean {
  return rules.some(({ key }) => key.split('.').length > path.length && matches(key.split('.'), path));
}

function matches(pattern: readonly string[], path: KeyPath): boolean {
  return path.every((key, index) => pattern[index] === '*' || pattern[index] === String(key));
}
