import { FARGATE_MEMORY_MB, isFargatePair } from '../../model/config/fargate.ts';
import type { ConfigInput } from '../../model/config/schema.ts';
import { RETENTION_DAYS } from '../../model/config/sections/logs.ts';
import { OWN_VARIABLES } from '../../model/config/container-variables.ts';
import { HEALTH_CHECK_PATH_FORM } from '../../model/config/sections/service.ts';
import { isRecord, scalarText } from './manifest.ts';
import { ValueReader, show, type Tell } from './read-values.ts';

type Service = NonNullable<ConfigInput['service']>;
type Deployment = NonNullable<ConfigInput['deployment']>;

/** What a service's manifest means in one environment, in Tandem's words. */
export interface MappedService {
  service: Service & { environment: Record<string, string> };
  deployment: Deployment;
  scaling: NonNullable<ConfigInput['scaling']>;
  logs: NonNullable<ConfigInput['logs']>;
  domain: NonNullable<ConfigInput['domain']>;
  aws: NonNullable<ConfigInput['aws']>;
  secrets: NonNullable<ConfigInput['secrets']>;
  monitoring: NonNullable<ConfigInput['monitoring']>;
  /** `public` is Copilot's default; it also takes lists of subnets. */
  placement: unknown;
}

/** Copilot's default where a manifest says nothing, and Tandem's own is another. */
const HEALTH_CHECK_PATH = '/';
const GRACE_PERIOD_SECONDS = 60;
/** Tandem's own where a manifest says nothing. */
const HEALTH_CHECK = { intervalSeconds: 30, timeoutSeconds: 5 };

export function mapService(manifest: unknown, tell: Tell): MappedService {
  const values = new ValueReader(manifest, tell);
  const { spotPercent, scaling, ...counts } = mapCount(values);
  const architecture = mapArchitecture(values);
  const environment = mapVariables(values);
  return {
    service: {
      ...defined({ port: values.wholeNumber('image.port', 1, 65_535) }),
      ...mapSize(values),
      ...counts,
      environment,
      healthCheck: mapHealthCheck(values),
      ...defined({ deregistrationDelaySeconds: values.seconds('http.deregistration_delay', 0, 3600) }),
    },
    deployment: mapDeployment(values),
    scaling,
    logs: defined({ retentionDays: mapRetention(values) }),
    domain: mapDomain(values),
    aws: defined({ architecture, spotPercent }),
    secrets: mapSecrets(values, environment),
    monitoring: values.raw('observability.tracing') === 'awsxray' ? { collector: true } : {},
    placement: values.raw('network.vpc.placement'),
  };
}

function mapSize(values: ValueReader): { cpu: number; memoryMb: number } {
  const cpu = values.wholeNumber('cpu', 1, 32_768) ?? 256;
  const memoryMb = values.wholeNumber('memory', 1, 249_856) ?? 512;
  if (isFargatePair(cpu, memoryMb)) return { cpu, memoryMb };
  // The smallest of Fargate's sizes that has as much of both.
  for (const [size, memories] of FARGATE_MEMORY_MB) {
    const enough = memories.find(memory => memory >= memoryMb);
    if (size < cpu || enough === undefined) continue;
    const remark = `cpu ${cpu} with memory ${memoryMb} is no size of Fargate's: became ${size} with ${enough}`;
    values.tell('changed', values.raw('cpu') === undefined ? 'memory' : 'cpu', remark);
    return { cpu: size, memoryMb: enough };
  }
  values.tell('changed', 'cpu', `${cpu} with ${memoryMb} is more than Fargate has: became 32768 with 249856`);
  return { cpu: 32_768, memoryMb: 249_856 };
}

interface Counts {
  desiredCount: number;
  minimumCount: number;
  maximumCount: number;
}

function mapCount(
  values: ValueReader,
): Counts & { spotPercent: number | undefined; scaling: MappedService['scaling'] } {
  const count = values.raw('count');
  if (!isRecord(count)) {
    const fixed = values.wholeNumber('count', 0, 5000) ?? 1;
    return { ...fixedCount(values, 'count', fixed), spotPercent: undefined, scaling: {} };
  }
  const spot = values.wholeNumber('count.spot', 0, 5000);
  if (spot !== undefined) {
    values.tell(
      'changed',
      'count.spot',
      'the first task runs on Fargate, all others on Spot; Copilot put all on Spot',
    );
    return { ...fixedCount(values, 'count.spot', spot), spotPercent: 100, scaling: {} };
  }
  const { minimum, maximum } = range(values);
  const spotFrom = values.wholeNumber('count.range.spot_from', 1, 5000);
  return {
    desiredCount: minimum,
    minimumCount: minimum,
    maximumCount: maximum,
    spotPercent: spotFrom === undefined ? undefined : spotShare(values, spotFrom, maximum),
    scaling: mapScaling(values),
  };
}

/** A number in Copilot is a number for good; Tandem scales between limits, so both limits are that number. */
function fixedCount(values: ValueReader, key: string, count: number): Counts {
  if (count === 0) values.tell('changed', key, '0 tasks, as before; autoscaling may make that 1');
  if (count === 1) {
    values.tell(
      'changed',
      key,
      '1 task, as before: it does not outlive its zone; set minimumCount 2 and maximumCount 10',
    );
  }
  return { desiredCount: count, minimumCount: count, maximumCount: Math.max(1, count) };
}

function range(values: ValueReader): { minimum: number; maximum: number } {
  const text = values.raw('count.range');
  const written = typeof text === 'string' ? /^(\d+)-(\d+)$/.exec(text.trim()) : undefined;
  const bounds = written
    ? { minimum: Number(written[1]), maximum: Number(written[2]) }
    : {
        minimum: values.wholeNumber('count.range.min', 0, 5000) ?? 1,
        maximum: values.wholeNumber('count.range.max', 1, 5000) ?? 10,
      };
  if (typeof text === 'string' && !written) {
    values.tell(
      'left',
      'count.range',
      `${show(text)} is no range as \`1-10\`; set minimumCount and maximumCount`,
    );
  }
  const maximum = Math.max(1, bounds.maximum);
  if (bounds.minimum <= maximum) return { minimum: bounds.minimum, maximum };
  values.tell(
    'changed',
    'count.range',
    `a minimum of ${bounds.minimum} above the maximum: became ${maximum}`,
  );
  return { minimum: maximum, maximum };
}

/** Copilot: tasks from the n-th on run on Spot. Tandem: the first never does, and of the others so many in a hundred. */
function spotShare(values: ValueReader, from: number, maximum: number): number {
  const beyondFirst = Math.max(1, maximum - 1);
  const share = Math.floor((100 * Math.max(0, Math.min(beyondFirst, maximum - from + 1))) / beyondFirst);
  values.tell(
    'changed',
    'count.range.spot_from',
    `Spot from task ${from} on became ${share} in a hundred of all tasks but the first`,
  );
  return share;
}

function mapScaling(values: ValueReader): MappedService['scaling'] {
  const target = (key: string, maximum: number) =>
    values.wholeNumber(isRecord(values.raw(key)) ? `${key}.value` : key, 1, maximum);
  return defined({
    cpuPercent: target('count.cpu_percentage', 100),
    memoryPercent: target('count.memory_percentage', 100),
    requestsPerTarget: target('count.requests', Number.MAX_SAFE_INTEGER),
    scaleInCooldownSeconds: values.seconds('count.cooldown.in', 0, 3600),
    scaleOutCooldownSeconds: values.seconds('count.cooldown.out', 0, 3600),
  });
}

/** CloudWatch keeps logs for certain numbers of days: none is lost earlier than was asked for. */
function mapRetention(values: ValueReader): number | undefined {
  const key = 'logging.retention';
  const wanted = values.wholeNumber(key, 1, RETENTION_DAYS.at(-1)!);
  if (wanted === undefined) return undefined;
  const days = RETENTION_DAYS.find(each => each >= wanted)!;
  if (days !== wanted) values.tell('changed', key, `${wanted} became ${days}, which CloudWatch knows`);
  return days;
}

function mapHealthCheck(values: ValueReader): NonNullable<Service['healthCheck']> {
  const key = 'http.healthcheck';
  const codes = values.text(`${key}.success_codes`)?.replaceAll(' ', '');
  const intervalSeconds = values.seconds(`${key}.interval`, 5, 300);
  const isKnown = codes === undefined || /^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$/.test(codes);
  if (!isKnown)
    values.tell('left', `${key}.success_codes`, `${show(codes)} are no status codes as \`200-299\``);
  return defined({
    path: mapHealthCheckPath(values, isRecord(values.raw(key)) ? `${key}.path` : key),
    matcher: isKnown ? codes : undefined,
    healthyThreshold: values.wholeNumber(`${key}.healthy_threshold`, 2, 10),
    unhealthyThreshold: values.wholeNumber(`${key}.unhealthy_threshold`, 2, 10),
    intervalSeconds,
    timeoutSeconds: mapTimeout(values, intervalSeconds),
    gracePeriodSeconds: values.seconds(`${key}.grace_period`, 0, 2_147_483_647) ?? GRACE_PERIOD_SECONDS,
  });
}

function mapHealthCheckPath(values: ValueReader, key: string): string {
  const wanted = values.text(key) ?? HEALTH_CHECK_PATH;
  const path = wanted.startsWith('/') ? wanted : `/${wanted}`;
  if (HEALTH_CHECK_PATH_FORM.test(path)) return path;
  values.tell(
    'left',
    key,
    `${show(wanted)} is no path that a request can ask for; ${HEALTH_CHECK_PATH} is asked`,
  );
  return HEALTH_CHECK_PATH;
}

/** A check must be over before the next one. */
function mapTimeout(values: ValueReader, intervalSeconds = HEALTH_CHECK.intervalSeconds): number | undefined {
  const key = 'http.healthcheck';
  const wanted = values.seconds(`${key}.timeout`, 2, 120);
  if ((wanted ?? HEALTH_CHECK.timeoutSeconds) < intervalSeconds) return wanted;
  const longest = intervalSeconds - 1;
  values.tell(
    'changed',
    `${key}.${wanted === undefined ? 'interval' : 'timeout'}`,
    `an answer may take ${longest} seconds: less than the interval`,
  );
  return longest;
}

function mapDeployment(values: ValueReader): Deployment {
  const rolling = values.text('deployment.rolling');
  if (rolling === 'recreate') {
    values.tell(
      'changed',
      'deployment.rolling',
      'old tasks stop before new ones start, as before: requests are lost meanwhile',
    );
    return { minimumHealthyPercent: 0, maximumPercent: 100 };
  }
  if (rolling !== undefined && rolling !== 'default') {
    values.tell(
      'left',
      'deployment.rolling',
      `${show(rolling)} is neither default nor recreate; Tandem’s default is used`,
    );
  }
  return {};
}

function mapDomain(values: ValueReader): MappedService['domain'] {
  const alias = values.raw('http.alias');
  const aliases = (Array.isArray(alias) ? alias : [alias]).map((entry: unknown) =>
    isRecord(entry) ? entry : { name: entry, hosted_zone: values.raw('http.hosted_zone') },
  );
  const [first, ...others] = aliases;
  if (typeof first?.['name'] !== 'string') return {};
  if (others.length > 0) {
    values.tell(
      'changed',
      'http.alias',
      `only the first name, ${first['name']}: let the others be CNAMEs of it`,
    );
  }
  const name = first['name'].toLowerCase();
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(name)) {
    values.tell('left', 'http.alias', `${show(first['name'])} is no full host name; set domain.name`);
    return {};
  }
  const zoneId = scalarText(first['hosted_zone']) ?? '';
  if (/^Z[A-Z0-9]{5,31}$/.test(zoneId)) return { name, zoneId };
  values.tell(
    'left',
    'http.alias',
    `set domain: { name: '${name}', zoneId: 'Z…' }: a certificate needs the zone’s id, which ` +
      '`aws route53 list-hosted-zones` tells',
  );
  return {};
}

function mapArchitecture(values: ValueReader): 'ARM64' | 'X86_64' | undefined {
  const platform = values.raw('platform');
  const text = isRecord(platform) ? values.text('platform.architecture') : values.text('platform');
  if (text === undefined) return undefined;
  const isWindows = /windows/i.test(`${text} ${values.text('platform.osfamily') ?? ''}`);
  if (isWindows)
    values.tell('left', 'platform', 'Tandem runs Linux images: build for linux/amd64 or linux/arm64');
  if (isWindows) return undefined;
  return /arm64|aarch64/i.test(text) ? 'ARM64' : 'X86_64';
}

function mapVariables(values: ValueReader): Record<string, string> {
  const variables = values.raw('variables');
  const mapped: Record<string, string> = {};
  for (const [name, value] of Object.entries(isRecord(variables) ? variables : {})) {
    const key = `variables.${name}`;
    const text = scalarText(value);
    if (!VARIABLE_NAME.test(name)) {
      values.tell(
        'left',
        key,
        'a name of letters, digits and underscores is needed; rename it in the application, too',
      );
    } else if (OWN_VARIABLES.includes(name)) {
      values.tell('left', key, 'Tandem sets it itself');
    } else if (text === undefined) {
      values.tell(
        'left',
        key,
        'its value is exported by a CloudFormation stack; write the value itself into service.environment',
      );
    } else {
      mapped[name] = text;
      const unfilled = /\$\{(\w+)\}/.exec(text);
      if (unfilled) {
        values.tell('changed', key, `Copilot filled in ${unfilled[0]}, Tandem does not: write the value`);
      }
    }
  }
  return mapped;
}

/** The names; values stay where they are until a person carries them over. */
function mapSecrets(values: ValueReader, variables: Record<string, string>): MappedService['secrets'] {
  const secrets = values.raw('secrets');
  const mapped: MappedService['secrets'] = {};
  for (const [name, source] of Object.entries(isRecord(secrets) ? secrets : {})) {
    const key = `secrets.${name}`;
    if (!VARIABLE_NAME.test(name) || [...OWN_VARIABLES, ...Object.keys(variables)].includes(name)) {
      values.tell(
        'left',
        key,
        'its name must be one of letters, digits and underscores that no variable has',
      );
    } else {
      mapped[name] = {};
      const from = show(isRecord(source) ? Object.values(source)[0] : source);
      values.tell(
        'changed',
        key,
        `the name is taken, the value is not: before the first release give it that of ${from}, as the README.md of \`tandem synth\` says`,
      );
    }
  }
  return mapped;
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function defined<Shape extends object>(
  shape: Shape,
): { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> } {
  const entries = Object.entries(shape).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> };
}
