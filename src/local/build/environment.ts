import { delimiter, dirname } from 'node:path';
import { TandemError } from '../../core/error.ts';
import type { Build } from '../../model/build.ts';
import type { Instant } from '../../core/instant.ts';
import type { Config } from '../../model/config/schema.ts';
import type { RegionName } from '../../model/names.ts';
import type { Buildspec } from './buildspec/schema.ts';
import type { BuildRequest, ImageTools } from './contract.ts';
import type { BuildFolders } from './workspace.ts';

/** What builds see of the environment that Tandem was started in: how to reach the network, and the language. */
const PASSED_ON = new Set([
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
]);

/** Where npm gets packages from; never its credentials (see npm-configuration.ts). */
const NPM_PASSED_ON =
  /^npm_config_(?:registry|cafile|proxy|https?_proxy|noproxy|strict_ssl|@[^:]+:registry)$/i;

export interface BuildEnvironmentInput {
  build: Build;
  request: BuildRequest;
  config: Config;
  region: RegionName;
  /** `http://127.0.1.1:8000`. */
  endpoint: string;
  registryHost: string;
  folders: BuildFolders;
  npmCacheFolder: string;
  tools: ImageTools;
  buildspec: Buildspec;
  machine: Readonly<Record<string, string | undefined>>;
  nodePath: string;
  mark: { name: string; value: string };
  startedAt: Instant;
}

/**
 * A build's whole environment: nothing of the machine's comes in but what is named here. Of variables set in
 * several places, the project's win over the buildspec's, and CODEBUILD_* over all (AWS: "Environment variables in
 * build environments").
 */
export function buildEnvironment(input: BuildEnvironmentInput): Record<string, string> {
  const { config, region, folders, machine } = input;
  return {
    ...passedOn(machine),
    SHELL: '/bin/sh',
    USER: 'codebuild',
    LOGNAME: 'codebuild',
    GIT_CEILING_DIRECTORIES: folders.root,
    npm_config_cache: input.npmCacheFolder,
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    ...input.buildspec.env.variables,
    APPLICATION: config.application,
    CONTAINER_NAME: config.application,
    REPOSITORY_URI: `${input.registryHost}/${config.application}`,
    REGION: region,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...config.build.environment,
    ...input.tools.environment,
    PATH: searchPath(input),
    HOME: folders.home,
    TMPDIR: folders.temporary,
    ...codebuildVariables(input),
    [input.mark.name]: input.mark.value,
  };
}

/** Fails for a reference to a secret that no plain variable of the project stands in for. */
export function refuseSecretReferences(buildspec: Buildspec, config: Config): void {
  const references = [
    ...Object.entries(buildspec.env['parameter-store']).map(entry => ['parameter-store', ...entry] as const),
    ...Object.entries(buildspec.env['secrets-manager']).map(entry => ['secrets-manager', ...entry] as const),
  ].filter(([, variable]) => config.build.environment[variable] === undefined);
  if (references.length === 0) return;
  const named = references.map(([store, variable, reference]) => `env.${store}.${variable} (${reference})`);
  throw new TandemError(
    'SECRET_UNAVAILABLE',
    `the buildspec takes ${named.join(', ')} from a secret store, which the local cloud does not have: set ` +
      `build.environment.${references[0]![1]} in tandem.config.ts to a plain value for local builds`,
    { data: { references: named } },
  );
}

function passedOn(machine: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(machine).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED_ON.has(entry[0]) || NPM_PASSED_ON.test(entry[0])),
  );
  return Object.fromEntries(entries);
}

/**
 * The image tools, the folder of Tandem's own Node.js, the machine's PATH: without the folders that npm put before
 * it to start Tandem, whose programs are Tandem's own dependencies.
 */
function searchPath({ tools, folders, nodePath, machine }: BuildEnvironmentInput): string {
  const machinePath = (machine['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .filter(folder => folder !== '' && !/[\\/](?:node_modules[\\/]\.bin|node-gyp-bin)$/.test(folder));
  return [tools.binFolder, folders.bin, dirname(nodePath), ...machinePath].join(delimiter);
}

function codebuildVariables(input: BuildEnvironmentInput): Record<string, string> {
  const { build, request, config, region } = input;
  const id = `${config.application}:${build.id}`;
  return {
    CODEBUILD_BUILD_ID: id,
    CODEBUILD_BUILD_ARN: `arn:aws:codebuild:${region}:000000000000:build/${id}`,
    CODEBUILD_BUILD_NUMBER: String(build.number),
    CODEBUILD_BUILD_IMAGE: 'tandem/local',
    CODEBUILD_BUILD_SUCCEEDING: '1',
    CODEBUILD_INITIATOR: request.initiator,
    CODEBUILD_KMS_KEY_ID: `arn:aws:kms:${region}:000000000000:alias/aws/s3`,
    CODEBUILD_LOG_PATH: build.logStream,
    CODEBUILD_RESOLVED_SOURCE_VERSION: request.commit,
    CODEBUILD_SOURCE_VERSION: request.ref,
    CODEBUILD_SOURCE_REPO_URL: `${input.endpoint}/git/${config.application}.git`,
    CODEBUILD_SRC_DIR: input.folders.source,
    CODEBUILD_START_TIME: String(input.startedAt),
    CODEBUILD_WEBHOOK_HEAD_REF: request.ref,
  };
}
