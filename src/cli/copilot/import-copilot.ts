import { assert } from '../../core/assert.ts';
import { TandemError } from '../../core/error.ts';
import { isReservedStart, LONGEST_NAME_PREFIX } from '../../model/config/name-prefix.ts';
import type { ConfigInput } from '../../model/config/schema.ts';
import { validateConfig } from '../../model/config/validate.ts';
import type { Environment } from '../../model/names.ts';
import { assignEnvironments, manifestIn, type Assignment } from './environments.ts';
import { layOutEnvironments } from './lay-out-environments.ts';
import { leftBehind, WEB_TYPES } from './left-behind.ts';
import { isRecord, type Manifest } from './manifest.ts';
import { ENVIRONMENT_KEYS, PIPELINE_KEYS, SERVICE_KEYS } from './manifest-keys.ts';
import { mapImage, type MappedImage } from './map-image.ts';
import { mapNetwork, regionsNamed } from './map-network.ts';
import { mapPipeline, stagesOf } from './map-pipeline.ts';
import { mapService, type MappedService } from './map-service.ts';
import type { Remark } from './remark.ts';
import { Told, traceKeys } from './trace-keys.ts';
import type { CopilotWorkspace } from './workspace.ts';

/** A Copilot workspace as a Tandem application. */
export interface CopilotImport {
  /** The one of Copilot's services that it runs. */
  service: string;
  /** It has been checked: Tandem takes it. */
  config: ConfigInput;
  image: MappedImage;
  environments: Assignment;
  /** What became of each key, file by file. */
  remarks: Remark[];
}

/**
 * Says in Tandem's words what a Copilot workspace says, as far as it can, and what it cannot. Throws
 * COPILOT_SERVICE_MISSING where no service fits, COPILOT_SERVICE_AMBIGUOUS where several do and none is named.
 *
 * @param fallbackName the application's name where the workspace does not tell it
 */
export function importCopilot(
  workspace: CopilotWorkspace,
  { service, fallbackName }: { service: string | undefined; fallbackName: string },
): CopilotImport {
  const { name, manifest } = chooseService(workspace, service);
  const pipeline = choosePipeline(workspace);
  const environments = assignEnvironments(
    environmentNames(workspace, manifest),
    stagesOf(pipeline?.manifest).map(stage => stage.name),
  );
  const copilotName = workspace.application ?? fallbackName;
  const told = new Told(manifest, SERVICE_KEYS);
  const { image, ...sections } = mapInEnvironments(manifest, { environments, copilotName, told });
  const pipelineTold = pipeline && new Told(pipeline.manifest, PIPELINE_KEYS);
  const network = mapEnvironmentManifests(workspace, environments);
  const config: ConfigInput = {
    application: applicationName(workspace, { copilotName, service: name, told }),
    ...network.regions,
    ...(pipeline && {
      pipeline: mapPipeline(pipeline.manifest, environments, (kind, key, remark) =>
        pipelineTold!.tell(kind, key, remark),
      ),
    }),
    ...sections,
    ...network.section,
  };
  return {
    service: name,
    config: checked(config),
    image,
    environments,
    remarks: [
      ...traceKeys(manifest, SERVICE_KEYS, told.remarks),
      ...network.remarks,
      ...(pipeline ? traceKeys(pipeline.manifest, PIPELINE_KEYS, pipelineTold!.remarks) : []),
      ...leftBehind(workspace, { service: name, pipeline: pipeline?.name, environments }),
    ],
  };
}

function chooseService(
  workspace: CopilotWorkspace,
  wanted: string | undefined,
): CopilotWorkspace['workloads'][number] {
  const web = workspace.workloads.filter(({ type }) => WEB_TYPES.has(type));
  const names = web.map(({ name }) => name);
  const all = workspace.workloads.map(({ name, type }) => `${name} (${type || 'no type'})`);
  if (wanted !== undefined) {
    const named = web.find(({ name }) => name === wanted);
    if (named) return named;
    throw new TandemError(
      'COPILOT_SERVICE_MISSING',
      `${wanted} is no service that answers requests from the internet; ${names.length > 0 ? `these are: ${names.join(', ')}` : `the workspace has: ${all.join(', ') || 'none'}`}`,
      { data: { wanted, services: names } },
    );
  }
  if (web.length === 1) return web[0]!;
  if (web.length > 1) {
    throw new TandemError(
      'COPILOT_SERVICE_AMBIGUOUS',
      `one Tandem application runs one service, and there are ${web.length}: ${names.join(', ')}; say which with --service`,
      { data: { services: names } },
    );
  }
  throw new TandemError(
    'COPILOT_SERVICE_MISSING',
    'Tandem runs what answers requests from the internet, a Load Balanced or Request-Driven Web Service; ' +
      `the workspace has: ${all.join(', ') || 'no service'}`,
    { data: { services: names } },
  );
}

/** The one that deploys to most environments: others are there for branches, or for the environments themselves. */
function choosePipeline({ pipelines }: CopilotWorkspace): CopilotWorkspace['pipelines'][number] | undefined {
  return [...pipelines].sort(
    (one, other) => stagesOf(other.manifest).length - stagesOf(one.manifest).length,
  )[0];
}

function environmentNames(workspace: CopilotWorkspace, { value: { environments } }: Manifest): string[] {
  const overridden = isRecord(environments) ? Object.keys(environments) : [];
  return [...new Set([...workspace.environments.map(({ name }) => name), ...overridden])];
}

/** Maps the service as it is in each environment, and lays the differences out as overrides. */
function mapInEnvironments(
  manifest: Manifest,
  { environments, copilotName, told }: { environments: Assignment; copilotName: string; told: Told },
) {
  const map = (environment: string | undefined): MappedService =>
    mapService(manifestIn(manifest, environment, copilotName), (kind, key, remark) =>
      told.tell(kind, key, remark, environment),
    );
  const production = map(environments.production);
  const others: Partial<Record<Environment, MappedService>> = {};
  for (const environment of ['staging', 'dev'] as const) {
    const name = environments[environment];
    if (name !== undefined) others[environment] = map(name);
  }
  const image = mapImage(manifestIn(manifest, environments.production, copilotName), (kind, key, remark) =>
    told.tell(kind, key, remark, environments.production),
  );
  if (production.placement !== 'private') told.tell('changed', 'network.vpc.placement', PLACEMENT);
  const laidOut = layOutEnvironments(production, others, (environment, remark) =>
    told.tell('changed', `environments.${environments[environment]}`, remark),
  );
  return { image, ...laidOut };
}

const PLACEMENT =
  'tasks no longer are in public subnets but in private ones, behind NAT gateways that cost money: network.nat says ' +
  'how many (per-zone, single, regional, or none)';

function mapEnvironmentManifests(workspace: CopilotWorkspace, { production }: Assignment) {
  const manifests = workspace.environments.map(({ manifest }) => manifest);
  const regions = regionsNamed(manifests);
  const remarks: Remark[] = [];
  let section: Pick<ConfigInput, 'network'> = {};
  for (const { name, manifest } of workspace.environments) {
    const told = new Told(manifest, ENVIRONMENT_KEYS);
    if (name === production) {
      const network = mapNetwork(manifest, regions.length, (kind, key, remark) =>
        told.tell(kind, key, remark),
      );
      if (Object.keys(network).length > 0) section = { network };
    }
    remarks.push(...traceKeys(manifest, ENVIRONMENT_KEYS, told.remarks));
  }
  return { section, regions: regions.length > 0 ? { regions } : {}, remarks };
}

/** Copilot's own name; with the service's where several services become applications; short enough for AWS's names. */
function applicationName(
  { workloads }: CopilotWorkspace,
  { copilotName, service, told }: { copilotName: string; service: string; told: Told },
): string {
  const isOneOfSeveral = workloads.filter(({ type }) => WEB_TYPES.has(type)).length > 1;
  const wanted = isOneOfSeveral ? `${copilotName}-${service}` : copilotName;
  const plain = wanted
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '');
  const fitting = (isReservedStart(plain) ? `app-${plain}` : plain)
    .slice(0, LONGEST_NAME_PREFIX)
    .replace(/-+$/, '');
  const name = fitting.length >= 2 ? fitting : 'application';
  if (name !== wanted) {
    told.tell(
      'changed',
      'name',
      `the application is called ${name}: ${wanted} does not fit into AWS's names`,
    );
  }
  return name;
}

/** What is written must be taken by Tandem: the mapping has fitted every value, and a fault here is its bug. */
function checked(config: ConfigInput): ConfigInput {
  const { faults } = validateConfig(config);
  assert(faults === undefined, `a configuration from Copilot is valid, not: ${JSON.stringify(faults)}`);
  return config;
}
