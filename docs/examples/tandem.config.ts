import { defineConfig } from 'tandem';

// Every key with its default; only `application` has none. Written by docs/generate-configuration.ts.
export default defineConfig({
  // The application: names every resource. The one key without a default.
  // 2 to 31 lower-case letters, digits and single hyphens, a letter first, no hyphen last.
  application: 'storefront',
  // Whose platform this is.
  // 2 to 31 lower-case letters, digits and single hyphens, a letter first, no hyphen last.
  customer: 'internal',
  // The Owner tag.
  // 1 to 256 letters, digits, spaces and _ . : / = + - @, no space first or last, and not beginning with aws:.
  owner: 'platform',
  // The CostCenter tag.
  // 1 to 256 letters, digits, spaces and _ . : / = + - @, no space first or last, and not beginning with aws:.
  costCenter: 'unassigned',
  // Where it runs; the first is the primary.
  // AWS regions.
  regions: ['us-east-1', 'us-west-2'],
  // How a push becomes a release in production.
  pipeline: {
    // Where commits come from, on AWS.
    source: {
      // Where AWS takes commits from: a repository in every region, or one elsewhere by CodeConnections.
      // One of "codecommit", "github", "gitlab".
      provider: 'codecommit',
      // The repository at GitHub or GitLab.
      // Owner and name as `acme/storefront`, without `.git`; or empty.
      repository: '',
    },
    // Pushes to this branch start an execution.
    // The name of a branch as git allows it, of at most 256 characters, without `#{`.
    branch: 'main',
    // What a newer execution does to an older one: SUPERSEDED takes its place where it waits, QUEUED waits behind it, PARALLEL runs beside it (where both deploy to one service, the newer deployment wins, as in ECS, and the older execution ends as superseded, on AWS as failed; not with `deployment.gate`).
    // One of "SUPERSEDED", "QUEUED", "PARALLEL".
    executionMode: 'SUPERSEDED',
    // What an execution hands from stage to stage is deleted after these days; a retry needs it.
    // A whole number from 1 to 365.
    artifactDays: 30,
    // The question to a person before production.
    approval: {
      // Ask a person before production.
      // True or false.
      required: true,
      // An unanswered approval then fails.
      // A number above 0 and at most 30.
      expiresAfterDays: 7,
    },
  },
  // How a commit becomes an image.
  build: {
    // Path of the buildspec in the repository.
    // A path inside the repository, as `buildspec.yml`.
    buildspec: 'buildspec.yml',
    // A build that runs longer is ended.
    // A number above 0 and at most 2160.
    timeoutMinutes: 60,
    // The project's environment variables; they win over the buildspec's.
    // An object of names, each with text.
    environment: {},
  },
  // What runs, in every environment.
  service: {
    // The port that the container listens on (`PORT`).
    // A whole number from 1 to 65535.
    port: 8080,
    // CPU units: 256 is a quarter of a virtual CPU.
    // One of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768.
    cpu: 256,
    // Memory limit in MiB; a task above it is killed.
    // A size that Fargate offers for this cpu: for 256, one of 512, 1024, 2048.
    memoryMb: 512,
    // Tasks to run until autoscaling says otherwise.
    // A whole number from 0 to 5000.
    desiredCount: 2,
    // Autoscaling never goes below.
    // A whole number from 0 to 5000.
    minimumCount: 2,
    // Autoscaling never goes above.
    // A whole number from 1 to 5000.
    maximumCount: 10,
    // Plain environment variables of the container.
    // An object of names, each with text.
    environment: {},
    // How the load balancer tells whether a target may get requests.
    healthCheck: {
      // What the load balancer requests from each target.
      // A path as `/health`, at most 255 characters, only those of URLs (no space, no #), and no segment `.`, `..` or empty.
      path: '/health',
      // Seconds between checks of one target.
      // A whole number from 5 to 300.
      intervalSeconds: 30,
      // Seconds without an answer that count as a failure.
      // A whole number from 2 to 120.
      timeoutSeconds: 5,
      // Successes in a row that bring a target back.
      // A whole number from 2 to 10.
      healthyThreshold: 5,
      // Failures in a row that take a target out.
      // A whole number from 2 to 10.
      unhealthyThreshold: 2,
      // Status codes that count as healthy.
      // Status codes as `200`, `200-299` or `200,202`.
      matcher: '200',
      // Seconds after a task starts in which failed checks do not count.
      // A whole number from 0 to 2147483647.
      gracePeriodSeconds: 0,
    },
    // Seconds between SIGTERM and SIGKILL when a task stops.
    // A whole number from 2 to 120.
    stopTimeoutSeconds: 30,
    // How long requests in flight may take to finish on a target that is leaving.
    // A whole number from 0 to 3600.
    deregistrationDelaySeconds: 60,
  },
  // How a service changes from one release to the next.
  deployment: {
    // How a new release replaces the old one: task by task; all at once; a first share of requests, then the rest; or share by share. The local cloud rehearses all of them as rolling.
    // One of "rolling", "blue-green", "canary", "linear".
    strategy: 'rolling',
    // For `canary`.
    canary: {
      // Shares of requests before all of them, and how long each must go well.
      // A list of steps, each with a higher `percent` and with `bakeTimeMinutes`; of several, percentages that share a divisor of at least 3.
      steps: [
        { percent: 10, bakeTimeMinutes: 10 },
        { percent: 50, bakeTimeMinutes: 10 },
      ],
    },
    // For `linear`.
    linear: {
      // What each step adds to the share.
      // A whole number from 3 to 99.
      stepPercent: 10,
      // How long each step must go well.
      // A whole number from 0 to 1440.
      stepBakeTimeMinutes: 6,
    },
    // A person inside a deployment that is not rolling, beside the alarms.
    gate: {
      // Ask a person as well, in production on AWS: after the first step, or before requests go to green.
      // True or false.
      required: false,
      // An unanswered question then rolls the deployment back.
      // A whole number from 5 to 1440.
      expiresAfterMinutes: 1440,
    },
    // When a step has been seen by enough requests to go by, on AWS.
    samples: {
      // Requests that the new release must have had at a step of `canary` or `linear` before the step counts as gone well; 0: none.
      // A whole number from 0 to 10000000.
      minimumRequests: 100,
      // How long they may take to come, after the time of the step itself; then the deployment is rolled back.
      // A whole number from 1 to 720.
      withinMinutes: 15,
      // Requests a second that the release sends to the path of the health check while there are too few; 0: none.
      // A number from 0.1 to 100, or 0.
      syntheticPerSecond: 5,
    },
    // Healthy tasks kept, of the desired count.
    // A whole number from 0 to 100.
    minimumHealthyPercent: 100,
    // Tasks allowed at once, of the desired count.
    // A whole number from 100 to 400.
    maximumPercent: 200,
    // How long the new release must stay healthy before the deployment counts as successful.
    // A number from 0 to 1440.
    bakeTimeMinutes: 5,
    // What ends a deployment that cannot succeed.
    circuitBreaker: {
      // End a deployment whose tasks keep failing.
      // True or false.
      enabled: true,
      // …and go back to the last good release.
      // True or false.
      rollback: true,
      // How many failed tasks are too many.
      threshold: {
        // Bounded: a percentage of the desired count, at least 3 and at most 200 failures.
        // One of "BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT".
        type: 'BOUNDED_PERCENT',
        // Per cent, or failures for COUNT.
        // A whole number from 1 to 200.
        value: 50,
      },
      // Count only failures in a row.
      // True or false.
      resetOnHealthyTask: true,
    },
  },
  // What a release changes in the database first.
  migration: {
    // Run on AWS in a task of the new release before it takes any request, as `["node", "migrate.js"]`; if it fails, the execution does. Empty: nothing.
    // A list, each text, not empty.
    command: [],
  },
  // Synchronous: a push is acknowledged only when a second region has it. On AWS the other regions always follow after it.
  // One of "asynchronous", "synchronous".
  replication: 'asynchronous',
  // The image registry of each region.
  registry: {
    // Newest images kept, besides those in use.
    // A whole number from 1 to 1000.
    keepImages: 10,
    // An AWS account has one replication configuration a region. Managed: this application’s; of several in an account only one may be. External: another has a rule for it.
    // One of "managed", "external".
    replication: 'managed',
    // For managed: what else of the account is replicated, such as its other applications.
    // A list, each how names of image repositories begin, as `acme-`.
    replicateAlso: [],
    // On AWS, sign every image that the pipeline builds, with a key of the application in each region, and release no image without a good signature.
    // True or false.
    sign: true,
  },
  // The logs of tasks and builds.
  logs: {
    // Older log events are deleted.
    // One of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653.
    retentionDays: 30,
    // Log the requests at the load balancers, on AWS in S3, as long; `tandem logs balancer` shows them.
    // True or false.
    accessLogs: true,
  },
  // When tasks are added and removed.
  scaling: {
    // CPU, of what is reserved, that scaling aims at.
    // A whole number from 1 to 100.
    cpuPercent: 70,
    // Memory that scaling aims at.
    // A whole number from 1 to 100.
    memoryPercent: 75,
    // Requests a minute for each task that scaling aims at; 0: not looked at.
    // A whole number, at least 0.
    requestsPerTarget: 0,
    // A task is removed while CPU is below this for 5 minutes, and with one fewer all metrics would stay below their targets.
    // A whole number from 1 to 100.
    scaleInBelowPercent: 50,
    // Rest after adding tasks.
    // A whole number from 0 to 3600.
    scaleOutCooldownSeconds: 60,
    // Rest after removing tasks.
    // A whole number from 0 to 3600.
    scaleInCooldownSeconds: 300,
    // Other limits of the number of tasks, from set times on.
    // A list, each an object with name, schedule, timeZone, minimumCount, maximumCount.
    schedules: [],
  },
  // The network of each region, on AWS.
  network: {
    // The first region’s network is 10.<this>.0.0/16, each further region’s the next.
    // A whole number from 0 to 255.
    firstBlock: 0,
    // NAT gateways: one a zone, one for all zones of a region, AWS’s regional one, or none: tasks then reach only AWS services that have an endpoint.
    // One of "per-zone", "single", "regional", "none".
    nat: 'single',
    // Further AWS services that the application calls, each with an endpoint in the network; S3 and DynamoDB always have one.
    // A list, each the end of an endpoint’s name, as sqs or ecr.api; s3 and dynamodb have one.
    endpoints: [],
    // Log who spoke to whom in the network.
    // True or false.
    flowLogs: true,
  },
  // The host name, for HTTPS.
  domain: {
    // Production’s host name, staging’s is `staging.` before it; empty: HTTP only.
    // A host name as `shop.example.com`, at most 64 characters as certificates want it; or empty.
    name: '',
    // The Route 53 zone that the name is in.
    // The id of a Route 53 zone as `Z0123456789ABC`, or empty.
    zoneId: '',
  },
  // Which region answers the host name.
  routing: {
    // Which region answers: the first healthy one in the order of `regions`, the nearest, by weight, or by where people are.
    // One of "failover", "latency", "weighted", "geolocation".
    policy: 'failover',
    // For `weighted`: each region’s share of all requests, relative to the others.
    // A whole number from 0 to 255 for each region; a region without one has 100.
    weights: {},
    // For `geolocation`: who is answered by which region; everybody else as with `failover`.
    // For a region, a list of places as `continent:EU` or `country:US`; each place once.
    locations: {},
    // How it is found out, from all over the world, that a region does not answer.
    healthCheck: {
      // Seconds between checks by one checker; AWS charges more for 10.
      // 10 or 30.
      intervalSeconds: 30,
      // Checks in a row that fail before requests go elsewhere, and that succeed before they return.
      // A whole number from 1 to 10.
      failureThreshold: 3,
    },
    // For `failover` between two regions, with a domain.
    regionSwitch: {
      // Move production by a plan of AWS’s Region switch, for 70 USD a month: first as many tasks, then the requests.
      // True or false.
      enabled: false,
      // Run it when the primary does not answer. Else requests move only when a person runs it.
      // True or false.
      automatic: true,
      // How long after an execution no other begins by itself.
      // A whole number from 10 to 1440.
      minutesBetween: 60,
      // What a recovery may take; AWS compares executions with it.
      // A whole number from 1 to 1440.
      recoveryTimeMinutes: 10,
    },
  },
  // What people are told of, in each environment.
  alarms: {
    // CPU above this for 2 minutes.
    // A whole number from 1 to 100.
    cpuPercent: 80,
    // Memory above this for 2 minutes.
    // A whole number from 1 to 100.
    memoryPercent: 80,
    // More answers of 5xx than this in 5 minutes.
    // A whole number, at least 0.
    serverErrors: 10,
    // Average response time above this in 3 of 5 minutes.
    // A number from 0.001 to 4000.
    responseTimeSeconds: 1,
  },
  // What alarms set off by themselves, on AWS; nothing unless it is asked for.
  remediation: {
    // What an alarm sets off, besides telling people: `restart` replaces all tasks, `scale-out` adds half as many again, `roll-back` goes back to the release before, `call` asks `hookUrl`.
    // For any of `cpu` `memory` `serverErrors` `unhealthyTargets` `responseTime`, one of "restart", "scale-out", "roll-back", "call".
    actions: {},
    // No more actions than this in an environment of a region within `withinMinutes`.
    // A whole number from 1 to 50.
    maximumActions: 3,
    // The time that `maximumActions` is for.
    // A whole number from 1 to 1440.
    withinMinutes: 60,
    // Gets a POST with the alarm as JSON, for `call`.
    // An https:// address of at most 2048 ASCII characters, without a user or password; or empty.
    hookUrl: '',
  },
  // How people are told.
  notifications: {
    // Who is told of alarms, failures and approvals; AWS asks each to agree first.
    // A list, each an e-mail address as `ada@example.com`.
    emails: [],
  },
  // What else is measured, on AWS.
  monitoring: {
    // An OpenTelemetry collector beside every task: traces go to X-Ray, the application’s own metrics to CloudWatch.
    // True or false.
    collector: false,
    // Of requests, how many are traced, unless the caller says otherwise.
    // A number from 0 to 100.
    tracePercent: 5,
  },
  // Secret environment variables of the container, each with a value of its own in every environment.
  // For each variable, `generate` (false) and `rotateAfterDays` (30).
  secrets: {},
  // Where the application keeps its data, on AWS.
  database: {
    // RDS with a standby in a second zone and read replicas in other regions, an Aurora global database, or a DynamoDB global table.
    // One of "none", "postgres", "mysql", "aurora-postgresql", "aurora-mysql", "dynamodb".
    engine: 'none',
    // Which have one of their own. Only production’s has a standby.
    // A list, each one of "dev", "staging", "production".
    environments: ['staging', 'production'],
    // Of the engine; empty: PostgreSQL 17 (Aurora 16), MySQL 8.4 (Aurora 8.0).
    // A major version as `17` or `8.4`, or empty.
    version: '',
    // Empty: db.t4g.medium, for Aurora db.r6g.large, the smallest that can span regions.
    // As `db.t4g.medium`, or empty.
    instanceClass: '',
    // For RDS; Aurora and DynamoDB take what they need.
    // A whole number from 20 to 65536.
    storageGb: 20,
    // How far back it can be restored to any second.
    // A whole number from 1 to 35.
    backupDays: 7,
    // The key of a DynamoDB table’s items.
    tableKeys: {
      // A name of letters, digits and _ . -, a letter or _ first.
      hash: 'pk',
      // Such a name, or empty for none.
      range: 'sk',
    },
  },
  // The web application firewall, on AWS.
  waf: {
    // Which have a web application firewall: about 9 USD a month each, in each region.
    // A list, each one of "dev", "staging", "production".
    environments: [],
    // Requests in five minutes after which a client address is refused (403) until it asks less.
    // A whole number from 10 to 2000000000.
    requestsPerClient: 2000,
    // Rules against known attacks, which AWS keeps up to date.
    // A list, each one of "common", "known-bad-inputs", "ip-reputation", "anonymous-ip", "sql", "linux".
    ruleGroups: ['common', 'known-bad-inputs', 'ip-reputation'],
  },
  // AWS’s own watchers: of several applications in one account, only one may switch each on.
  compliance: {
    // Keep who called what in the account, in every region.
    // True or false.
    cloudTrail: false,
    // Keep what every resource looked like, and when it changed.
    // True or false.
    config: false,
    // Look for signs of an intruder.
    // True or false.
    guardDuty: false,
    // Check the account against AWS’s list of good practice.
    // True or false.
    securityHub: false,
    // Find what people outside the account can reach.
    // True or false.
    accessAnalyzer: false,
    // How long the records of CloudTrail and Config are kept.
    // A whole number from 90 to 3653.
    keepDays: 365,
  },
  // What is done about changes that somebody makes by hand, on AWS.
  drift: {
    // How often each region looks by itself for what was changed outside Terraform since `tandem deploy`, and tells people.
    // One of "daily", "weekly", "never".
    check: 'daily',
    // The role by which the check puts back what was changed, where nothing else would change; empty: it only tells. Best the one that `tandem deploy` works with; it must trust the role <prefix>-<region>-drift.
    // The ARN of a role, as arn:aws:iam::123456789012:role/deployer, or empty.
    reapplyRoleArn: '',
  },
  // What AWS may cost.
  budget: {
    // What a month may cost, in all regions together; 0: no budget. Counts what has the Application tag.
    // A number of dollars from 0 to 1000000000, with whole cents.
    monthlyUsd: 0,
    // People are told when so many per cent of it are spent.
    // A list, each a whole number from 1 to 1000.
    spentPercents: [80, 100],
    // …and when AWS expects more than so many per cent by the end of the month; 0: not.
    // A whole number from 0 to 1000.
    forecastPercent: 100,
  },
  // What only AWS has.
  aws: {
    // The account it belongs in: Terraform then works in no other. Also keeps bucket names unique.
    // 12 digits, or empty.
    accountId: '',
    // What every resource’s name begins with; empty: customer and application.
    // 2 to 21 lower-case letters, digits and single hyphens, a letter first, no hyphen last; or empty.
    namePrefix: '',
    // The processors that images are built for, and run on.
    // One of "X86_64", "ARM64".
    architecture: 'X86_64',
    // Of tasks beyond the first, how many in a hundred run on Fargate Spot.
    // A whole number from 0 to 100.
    spotPercent: 0,
    // What production runs in regions other than the first: all its tasks, one, or none until it is scaled.
    // One of "full", "warm", "pilot-light".
    standby: 'full',
    // How long the other regions wait for the primary’s image of a commit before they build it themselves.
    // A whole number from 0 to 240.
    replicaWaitMinutes: 10,
  },
  // What only the local cloud has.
  local: {
    // Load balancer processes of a region, which share its ports: on Linux, for more requests than one core can carry. A change waits for `tandem down` and `tandem up`.
    // A whole number from 1 to 16.
    balancerProcesses: 1,
  },
  // What `tandem cost` assumes of a month in each region; it changes nothing but the estimate.
  usage: {
    // Requests to production, in millions.
    // A number from 0 to 1000000000.
    requestsMillions: 5,
    // Answers of production to the internet, in GB.
    // A number from 0 to 1000000000.
    internetGb: 20,
    // Traffic of tasks to the outside, images and AWS services included, in GB.
    // A number from 0 to 1000000000.
    natGb: 20,
    // What production’s tasks log, in GB.
    // A number from 0 to 1000000000.
    logGb: 5,
    // Flow logs of the network, in GB.
    // A number from 0 to 1000000000.
    flowLogGb: 2,
    // Traffic and logs of staging, in per cent of production’s.
    // A number from 0 to 1000000000.
    stagingPercent: 10,
    // Tasks that autoscaling adds to production’s minimum, on average over the month.
    // A number from 0 to 1000000000.
    extraTasks: 0,
    // Executions of the pipeline.
    // A number from 0 to 1000000000.
    builds: 40,
    // What a build takes.
    // A number from 0 to 1000000000.
    buildMinutes: 5,
    // What a deployment to one environment takes, its bake included.
    // A number from 0 to 1000000000.
    releaseMinutes: 10,
    // Compressed size of an image.
    // A number from 0 to 1000000000.
    imageMb: 150,
    // What an execution leaves in the artifact bucket.
    // A number from 0 to 1000000000.
    artifactMb: 5,
    // Data in a database that grows by itself (Aurora, DynamoDB).
    // A number from 0 to 1000000000.
    databaseGb: 20,
    // Reads of such a database, in millions.
    // A number from 0 to 1000000000.
    databaseReadsMillions: 10,
    // Writes to such a database, in millions.
    // A number from 0 to 1000000000.
    databaseWritesMillions: 2,
  },
  // What differs in one environment.
  environments: {
    dev: { service: {}, deployment: {}, enabled: false },
    staging: { service: {}, deployment: {} },
    production: { service: {}, deployment: {} },
  },
});
