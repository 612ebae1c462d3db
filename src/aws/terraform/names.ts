import { assert } from '../../core/assert.ts';
import { namePrefix } from '../../model/config/name-prefix.ts';
import type { Config } from '../../model/config/schema.ts';
import type { Environment, RegionName } from '../../model/names.ts';

/** How long AWS lets names be (each service's quotas page). */
const LIMITS = {
  loadBalancer: 32,
  targetGroup: 32,
  database: 60,
  connection: 32,
  switchPlan: 32,
  bucket: 63,
  role: 64,
  rule: 64,
  function: 64,
  repository: 100,
  pipeline: 100,
  trail: 128,
  project: 150,
  other: 255,
} as const;

/** Names that must be short say the environment in four letters. */
const SHORT_ENVIRONMENT = { dev: 'dev', staging: 'stag', production: 'prod' } as const;

type BucketPurpose = 'state' | 'artifacts' | 'access-logs' | 'trail' | 'config';
type RolePurpose =
  | 'flow-log'
  | 'replication'
  | 'approval-card'
  | 'supply'
  | 'build'
  | 'config'
  | 'image'
  | 'pipeline'
  | 'pipeline-start'
  | 'region-switch'
  | 'gate-refused'
  | 'drift'
  | 'drift-start'
  | `${Environment}-${'execution' | 'task' | 'release' | 'remediation' | 'rotation' | 'shift'}`;

/**
 * What everything is called on AWS. Every name begins with the prefix of this customer and application, so that many of
 * them fit into one account; no valid configuration makes a name that AWS would refuse as too long.
 */
export interface Names {
  /** Of what there is one of in a region: network, repositories, pipeline. */
  prefix: string;
  cluster(environment: Environment): string;
  service(environment: Environment): string;
  loadBalancer(environment: Environment): string;
  targetGroup(environment: Environment, color: 'blue' | 'green'): string;
  /** Buckets share one space of names in all of AWS. */
  bucket(purpose: BucketPurpose, region: RegionName): string;
  /** Roles share one space of names in an account, whatever the region. */
  role(purpose: RolePurpose, region: RegionName): string;
  logGroup(environment: Environment): string;
  /** The same in every region. */
  database(environment: Environment): string;
  /** Of a secret that becomes an environment variable; the same in every region. */
  secret(environment: Environment, variable: string): string;
  databaseLogin(environment: Environment): string;
  buildProject: string;
  imageProject: string;
  approvalCardProject: string;
  driftProject: string;
  /** The repository of the images' signatures. */
  signatures: string;
  /** Of the key that images are signed with, the same in every region. */
  signingKey: string;
  /** To a Git repository elsewhere. */
  connection: string;
  releaseProject(environment: Environment): string;
  /** Of an EventBridge rule. */
  rule(
    purpose:
      | 'push'
      | 'pipeline-failed'
      | 'gate-refused'
      | `${Environment}-deployment-failed`
      | `${Environment}-remediation`
      | `replicate-${'push' | 'schedule'}-${RegionName}`,
  ): string;
  /** Of the plan that moves production to another region. */
  regionSwitch: string;
  /** Of CloudTrail, which takes no name of two letters. */
  trail: string;
  topic: string;
  /** Of the key that the topic is encrypted with. */
  topicKey: string;
  /** Of the function, and of the queue and the table that are its own. */
  function(purpose: 'replication' | 'supply' | `${Environment}-${'remediation' | 'rotation'}`): string;
}

export function createNames(config: Config): Names {
  const prefix = namePrefix(config);
  const { accountId } = config.aws;
  const service = (environment: Environment) => within('other', `${prefix}-${environment}`);
  return {
    prefix: within('repository', prefix),
    cluster: service,
    service,
    loadBalancer: environment => within('loadBalancer', service(environment)),
    targetGroup: (environment, color) =>
      within('targetGroup', `${prefix}-${SHORT_ENVIRONMENT[environment]}-${color}`),
    bucket: (purpose, region) =>
      within('bucket', [prefix, purpose, accountId, region].filter(part => part !== '').join('-')),
    role: (purpose, region) => within('role', `${prefix}-${region}-${purpose}`),
    logGroup: environment => within('other', `/tandem/${prefix}/${environment}`),
    database: environment => within('database', service(environment)),
    secret: (environment, variable) => within('other', `${prefix}/${environment}/${variable}`),
    databaseLogin: environment => within('other', `${prefix}/${environment}/database-login`),
    buildProject: within('project', `${prefix}-build`),
    approvalCardProject: within('project', `${prefix}-approval-card`),
    driftProject: within('project', `${prefix}-drift`),
    imageProject: within('project', `${prefix}-image`),
    signatures: within('repository', `${prefix}-signatures`),
    signingKey: within('other', `alias/${prefix}-signing`),
    connection: within('connection', `${prefix}-source`),
    releaseProject: environment => within('project', `${prefix}-release-${environment}`),
    regionSwitch: within('switchPlan', `${prefix}-switch`),
    trail: within('trail', `${prefix}-trail`),
    topic: within('other', `${prefix}-notifications`),
    topicKey: within('other', `alias/${prefix}-notifications`),
    function: purpose => within('function', `${prefix}-${purpose}`),
    rule: purpose => within('rule', `${prefix}-${purpose}`),
  };
}

function within(kind: keyof typeof LIMITS, name: string): string {
  assert(name.length <= LIMITS[kind], `the ${kind} name ${name} is longer than ${LIMITS[kind]} characters`);
  return name;
}
