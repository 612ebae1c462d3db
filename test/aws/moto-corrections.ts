/*
 * What stands between Terraform and moto: faults of moto that are not AWS's, each named with its reason. moto's version
 * is 5.2.1; a correction that a later version no longer needs goes.
 */

type Message = Record<string, unknown>;

/** What one test run has seen so far; moto forgets some of what it is told. */
export type Memory = Map<string, unknown>;

export interface Correction {
  name: string;
  reason: string;
  /** Requests that it is for: `CodeBuild_20161006.CreateProject`, or in REST services `POST /2015-03-31/functions`. */
  targets: RegExp;
  /** Answered without moto being asked, unless it is `undefined`; in XML where it is text. */
  answer?(request: Message, memory: Memory, region: string | undefined): Message | string | undefined;
  /** What moto is asked instead. */
  request?(request: Message, memory: Memory, target: string): Message;
  /** The path that moto is asked instead. */
  path?(path: string): string;
  /** What Terraform is answered instead of what moto says, where that is no JSON. */
  text?(response: string, request: string, memory: Memory): string;
  /** What Terraform is answered instead of what moto says. */
  response?(response: Message, request: Message, memory: Memory, target: string): Message;
}

const TAGGED = /^ResourceGroupsTaggingAPI_20170126\.GetResources$/;

/** A call other than a question after tags may make something in its region. */
export function remember(target: string, region: string | undefined, memory: Memory): void {
  if (!TAGGED.test(target)) memory.set(`region ${region}`, true);
}

export const CORRECTIONS: readonly Correction[] = [
  {
    name: 'tags of scalable targets, given',
    reason:
      'moto has no ListTagsForResource of Application Auto Scaling, and the provider retries it for minutes',
    targets: /^AnyScaleFrontendService\.RegisterScalableTarget$/,
    response(response, { Tags }, memory) {
      memory.set(String(response['ScalableTargetARN']), Tags);
      return response;
    },
  },
  {
    name: 'tags of scalable targets, asked',
    reason: 'as above',
    targets: /^AnyScaleFrontendService\.ListTagsForResource$/,
    answer: ({ ResourceARN }, memory) => ({ Tags: memory.get(String(ResourceARN)) ?? {} }),
  },
  {
    name: 'default quotas',
    reason: 'moto has no GetAWSDefaultServiceQuota, and knows quotas of networks only',
    targets: /^ServiceQuotasV20190624\.GetAWSDefaultServiceQuota$/,
    // Those of addresses and of application load balancers.
    answer: ({ QuotaCode }) => ({ Quota: { QuotaCode, Value: QuotaCode === 'L-0263D0A3' ? 5 : 50 } }),
  },
  {
    name: 'tags of repositories, given',
    reason: 'moto has no ListTagsForResource of CodeCommit',
    targets: /^CodeCommit_20150413\.CreateRepository$/,
    response(response, { tags }, memory) {
      memory.set(String((response['repositoryMetadata'] as Message)['Arn']), tags);
      return response;
    },
  },
  {
    name: 'tags of repositories, asked',
    reason: 'as above',
    targets: /^CodeCommit_20150413\.ListTagsForResource$/,
    answer: ({ resourceArn }, memory) => ({ tags: memory.get(String(resourceArn)) ?? {} }),
  },
  {
    name: 'tags of budgets, given',
    reason: 'moto has no ListTagsForResource of Budgets',
    targets: /^AWSBudgetServiceGateway\.CreateBudget$/,
    response(response, { AccountId, Budget, ResourceTags }, memory) {
      const name = String((Budget as Message)['BudgetName']);
      memory.set(`arn:aws:budgets::${String(AccountId)}:budget/${name}`, ResourceTags);
      return response;
    },
  },
  {
    name: 'tags of budgets, asked',
    reason: 'as above',
    targets: /^AWSBudgetServiceGateway\.ListTagsForResource$/,
    answer: ({ ResourceARN }, memory) => ({ ResourceTags: memory.get(String(ResourceARN)) ?? [] }),
  },
  {
    name: 'who is told of a budget, given',
    reason: 'moto has no DescribeSubscribersForNotification',
    targets: /^AWSBudgetServiceGateway\.CreateNotification$/,
    response(response, { Notification, Subscribers }, memory) {
      memory.set(notificationKey(Notification), Subscribers);
      return response;
    },
  },
  {
    name: 'who is told of a budget, asked',
    reason: 'as above',
    targets: /^AWSBudgetServiceGateway\.DescribeSubscribersForNotification$/,
    answer: ({ Notification }, memory) => ({ Subscribers: memory.get(notificationKey(Notification)) ?? [] }),
  },
  {
    name: 'trails by their ARN',
    reason: 'moto starts and stops the logging of a trail by its name only',
    targets: /^CloudTrail_20131101\.St(art|op)Logging$/,
    request: ({ Name, ...rest }) => ({ ...rest, Name: String(Name).split('/').at(-1) }),
  },
  {
    name: 'times of CodeCommit and CodePipeline',
    reason: 'moto answers with times as text where both have seconds as a number',
    targets: /^(CodeCommit|CodePipeline)_/,
    response: response => withTimesAsSeconds(response) as Message,
  },
  {
    name: 'source of a project that has none of its own',
    reason:
      'moto wants a location of source and artifacts of a project that gets both from a pipeline, or has neither; AWS refuses one',
    targets: /^CodeBuild_20161006\.(CreateProject|BatchGetProjects)$/,
    request: request => withPlacelessEnds(request, end => ({ ...end, location: 'none' })),
    response: response => ({
      ...response,
      ...(response['project'] !== undefined && {
        project: withPlacelessEnds(response['project'] as Message, withoutLocation),
      }),
      ...(response['projects'] !== undefined && {
        projects: (response['projects'] as Message[]).map(project =>
          withPlacelessEnds(project, withoutLocation),
        ),
      }),
    }),
  },
  {
    name: 'log groups and dead letters of functions, given',
    reason: 'moto drops the configuration of a function’s logging and of its dead letters',
    targets: /^POST \/2015-03-31\/functions$/,
    response(response, { LoggingConfig, DeadLetterConfig }, memory) {
      const dropped = { LoggingConfig, DeadLetterConfig };
      memory.set(String(response['FunctionArn']), dropped);
      return { ...response, ...dropped };
    },
  },
  {
    name: 'log groups and dead letters of functions, asked',
    reason: 'as above',
    targets: /^GET \/2015-03-31\/functions\/[^/]+$/,
    response(response, _request, memory) {
      const configuration = response['Configuration'] as Message;
      const dropped = memory.get(String(configuration['FunctionArn'])) as Message;
      return { ...response, Configuration: { ...configuration, ...dropped } };
    },
  },
  {
    name: 'policies of dead letters',
    reason: 'moto writes them with spaces, which to the provider is a change',
    targets: /^AmazonSQS\.GetQueueAttributes$/,
    response(response) {
      const { RedrivePolicy, ...attributes } = response['Attributes'] as Record<string, string>;
      if (RedrivePolicy === undefined) return response;
      return {
        ...response,
        Attributes: { ...attributes, RedrivePolicy: JSON.stringify(JSON.parse(RedrivePolicy)) },
      };
    },
  },
  {
    name: 'policies of buckets, given',
    reason:
      'moto reads no conditions in the policy of a bucket, and would refuse everything that is refused over plain HTTP',
    targets: /^PUT \/[^/?]+\/?\?policy\b/,
    request(policy, memory, target) {
      memory.set(bucketOf(target), policy);
      const statements = policy['Statement'] as Message[];
      return { ...policy, Statement: statements.filter(statement => !isConditionalRefusal(statement)) };
    },
  },
  {
    name: 'policies of buckets, asked',
    reason: 'as above',
    targets: /^GET \/[^/?]+\/?\?policy\b/,
    response: (_response, _request, memory, target) => memory.get(bucketOf(target)) as Message,
  },
  {
    name: 'tags in regions where nothing was made',
    reason: 'moto takes seconds to say so, and fails where it lacks one of all the services that it asks',
    targets: TAGGED,
    answer: (_request, memory, region) =>
      memory.has(`region ${region}`) ? undefined : { ResourceTagMappingList: [], PaginationToken: '' },
  },
  {
    name: 'automated snapshots',
    reason: 'moto keeps those of a deleted cluster, which AWS deletes with it',
    targets: TAGGED,
    response: response => ({
      ...response,
      ResourceTagMappingList: (response['ResourceTagMappingList'] as Message[]).filter(
        ({ ResourceARN }) => !String(ResourceARN).includes(':cluster-snapshot:rds:'),
      ),
    }),
  },
  {
    name: 'ids of zones',
    reason: 'ids of AWS begin with Z, those of moto with anything',
    targets: /^\w+ \/2013-04-01\//,
    path: path => path.replace(/(?<=\/hostedzone\/)Z(?=\w{16})/, ''),
    text: response => response.replaceAll(/(?<=\/hostedzone\/)(?=\w{16})/g, 'Z'),
  },
  {
    name: 'global clusters by name',
    reason: 'moto answers with all of them, whichever is asked for',
    targets: /^DescribeGlobalClusters$/,
    text(response, request) {
      const asked = new URLSearchParams(request).get('GlobalClusterIdentifier');
      return response.replaceAll(GLOBAL_CLUSTER, (cluster, name: string) =>
        asked === null || asked === name ? cluster : '',
      );
    },
  },
  {
    name: 'protection of global clusters, changed',
    reason: 'moto has no ModifyGlobalCluster, and the provider retries it for hours',
    targets: /^ModifyGlobalCluster$/,
    answer({ GlobalClusterIdentifier, DeletionProtection }, memory) {
      const made = memory.get(`global cluster ${String(GlobalClusterIdentifier)}`) as URLSearchParams;
      made.set('DeletionProtection', String(DeletionProtection));
      return '<ModifyGlobalClusterResponse><ModifyGlobalClusterResult/></ModifyGlobalClusterResponse>';
    },
  },
  {
    name: 'members of global clusters',
    reason: 'moto never forgets those of other regions, and then refuses to delete what they were members of',
    targets: /^(CreateDBCluster|DeleteDBCluster|RemoveFromGlobalCluster|DeleteGlobalCluster)$/,
    answer: (request, memory, region) => countMembers(request, memory, region),
  },
  {
    name: 'databases, protection and tags of global clusters',
    reason: 'moto drops the name of the database and the tags; the rest as above',
    targets: /^(CreateGlobalCluster|DescribeGlobalClusters)$/,
    text(response, request, memory) {
      const asked = new URLSearchParams(request);
      if (asked.get('Action') === 'CreateGlobalCluster') {
        memory.set(`global cluster ${asked.get('GlobalClusterIdentifier')}`, asked);
      }
      return response.replaceAll(GLOBAL_CLUSTER, (cluster, name: string) => {
        const made = memory.get(`global cluster ${name}`) as URLSearchParams | undefined;
        if (made === undefined) return cluster;
        return made.has('Deleted') ? '' : asItWasMade(cluster, made);
      });
    },
  },
  {
    name: 'scaling of clusters of databases',
    reason: 'moto tells every cluster’s as that of Aurora Serverless v1, which no other cluster has',
    targets: /^(Create|Modify)DBCluster$|^DescribeDBClusters$/,
    text: response =>
      response.replaceAll(
        /<ScalingConfigurationInfo\/>|<ScalingConfigurationInfo>.*?<\/ScalingConfigurationInfo>/gs,
        '',
      ),
  },
  {
    name: 'settings of services',
    reason: 'moto’s CreateService drops the capacity providers, managed tags and zone rebalancing',
    targets: /^AmazonEC2ContainerServiceV20141113\.(CreateService|DescribeServices|UpdateService)$/,
    response(response, request, memory) {
      const { serviceName, capacityProviderStrategy, enableECSManagedTags, availabilityZoneRebalancing } =
        request;
      if (typeof serviceName === 'string') {
        memory.set(`service ${serviceName}`, {
          capacityProviderStrategy,
          enableECSManagedTags,
          availabilityZoneRebalancing,
        });
      }
      const mended = (service: Message) => {
        const { launchType: _launchType, ...rest } = service;
        return { ...rest, ...(memory.get(`service ${String(service['serviceName'])}`) as Message) };
      };
      return {
        ...response,
        ...(response['service'] !== undefined && { service: mended(response['service'] as Message) }),
        ...(response['services'] !== undefined && {
          services: (response['services'] as Message[]).map(mended),
        }),
      };
    },
  },
];

/** `bucket name` of `PUT /name?policy`. */
function bucketOf(target: string): string {
  return `bucket ${/^\S+ \/([^/?]+)/.exec(target)![1]}`;
}

/** Members of a cluster have elements of the same name. */
const GLOBAL_CLUSTER =
  /(?:<GlobalClusterMember>)?<GlobalClusterIdentifier>([^<]+)<\/.*?(?:<TagList\/>|<\/TagList>)(?:<\/GlobalClusterMember>)?/gs;

/** Answers the deletion of a global cluster that has none any more. */
function countMembers(request: Message, memory: Memory, region: string | undefined): string | undefined {
  const { Action, GlobalClusterIdentifier: global, DBClusterIdentifier: cluster } = request;
  const members = (memory.get('members') ?? new Map()) as Map<string, unknown>;
  memory.set('members', members);
  if (Action === 'CreateDBCluster' && global !== undefined)
    members.set(`${region} ${String(cluster)}`, global);
  if (Action === 'DeleteDBCluster') members.delete(`${region} ${String(cluster)}`);
  if (Action === 'RemoveFromGlobalCluster') {
    const [, , , home, , , name] = String(request['DbClusterIdentifier']).split(':');
    members.delete(`${home} ${name}`);
  }
  if (Action !== 'DeleteGlobalCluster' || [...members.values()].includes(global)) return undefined;
  (memory.get(`global cluster ${String(global)}`) as URLSearchParams).set('Deleted', 'true');
  return '<DeleteGlobalClusterResponse><DeleteGlobalClusterResult/></DeleteGlobalClusterResponse>';
}

function asItWasMade(cluster: string, made: URLSearchParams): string {
  const database = made.get('DatabaseName');
  const protection = made.get('DeletionProtection') ?? 'false';
  const tags = [...made]
    .filter(([field]) => /^Tags\.Tag\.\d+\.Key$/.test(field))
    .map(([field, key]) => ({ key, value: made.get(field.replace(/Key$/, 'Value')) }));
  const added = database === null ? '' : `<DatabaseName>${database}</DatabaseName>`;
  return cluster
    .replace(/(?<=<DeletionProtection>)\w+/, protection)
    .replace(
      /<TagList\/>|<TagList>.*<\/TagList>/s,
      `${added}<TagList>${tags
        .map(({ key, value }) => `<Tag><Key>${inXml(key)}</Key><Value>${inXml(value ?? '')}</Value></Tag>`)
        .join('')}</TagList>`,
    );
}

function inXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function notificationKey(notification: unknown): string {
  const { NotificationType, ComparisonOperator, Threshold } = notification as Message;
  return `notification ${String(NotificationType)} ${String(ComparisonOperator)} ${Number(Threshold)}`;
}

function isConditionalRefusal({ Effect, Condition }: Message): boolean {
  return Effect === 'Deny' && Condition !== undefined;
}

/** A project whose source and artifacts, where they are a pipeline's, went through a function. */
const PLACELESS = new Set<unknown>(['CODEPIPELINE', 'NO_SOURCE']);

function withPlacelessEnds(project: Message, change: (end: Message) => Message): Message {
  const ends = ['source', 'artifacts'].filter(end =>
    PLACELESS.has((project[end] as Message | undefined)?.['type']),
  );
  return {
    ...project,
    ...Object.fromEntries(ends.map(end => [end, change(project[end] as Message)])),
  };
}

function withoutLocation({ location: _location, ...end }: Message): Message {
  return end;
}

const TIMES = new Set(['creationDate', 'lastModifiedDate', 'created', 'updated']);

function withTimesAsSeconds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTimesAsSeconds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      TIMES.has(key) && typeof entry === 'string' ? Date.parse(entry) / 1000 : withTimesAsSeconds(entry),
    ]),
  );
}
