import { expect, test } from 'vitest';
import { approvalCardBuildspec } from '../../src/aws/terraform/modules/approval-card-buildspec.ts';
import { runScript, type Answers, type ScriptRun } from './script-run.ts';

/* The script itself runs here, in Bash; what AWS answers is as its API references say. */

const DIGEST = `sha256:${'b'.repeat(64)}`;
const COMMIT = 'c0ffee'.padEnd(40, '0');
const NOW = 'decade'.padEnd(40, '0');

test('says what is asked, what changes, who wrote and pushed it, and how it did so far', async () => {
  await card({}, run => {
    expect(run.stderr).toBe('');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/Unanswered, it fails at \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(run.stdout.split(' | ').slice(0, -1)).toEqual([
      'storefront to production in us-east-1?',
      `Changes: https://console.example/compare/${NOW}...${COMMIT}`,
      "Commit: c0ffee00 'Sell more' by Ada <ada@example.com>",
      'Pushed by: arn:aws:sts::1:assumed-role/Developer/ada@example.com',
      'Tests: 40 passed, 2 failed of 42',
      'Scan: 1 critical, 3 high',
      'Staging: 2 of 2 tasks run, ALARM: storefront-staging-cpu',
      'Its last hour: 1234 requests, 3 of them 5xx, p99 181 ms',
      'Drift: us-east-1-production',
    ]);
    const queries = /--metric-data-queries (\[.*\]) --output/.exec(run.calls.join('\n'))![1]!;
    expect(JSON.parse(queries)).toContainEqual({
      Id: 'latency',
      MetricStat: {
        Period: 3600,
        Stat: 'p99',
        Metric: {
          Namespace: 'AWS/ApplicationELB',
          MetricName: 'TargetResponseTime',
          Dimensions: [{ Name: 'LoadBalancer', Value: 'app/storefront-staging/50dc6c495c0c9188' }],
        },
      },
    });
  });
});

test.each([
  [{ DRIFT_PROJECT: '' }, {}, 'not checked'],
  [{}, { 'codebuild list-builds-for-project': ['None'] }, 'not checked yet'],
  [{}, { 'codebuild batch-get-builds': ['{"builds":[{"buildStatus":"FAILED"}]}'] }, 'the last check failed'],
  [{}, { 'codebuild batch-get-builds': ['{"builds":[{"buildStatus":"IN_PROGRESS"}]}'] }, 'being checked'],
])('never says that nothing has drifted where nobody has looked', async (environment, answers, said) => {
  const builds = { 'codebuild list-builds-for-project': ['d:1'], ...answers };
  await card(builds, run => expect(run.stdout).toContain(`Drift: ${said} | `), environment);
});

test('tells of staging without requests', async () => {
  const MetricDataResults = ['requests', 'errors', 'latency'].map(Id => ({ Id, Values: [] }));
  await card({ 'cloudwatch get-metric-data': [JSON.stringify({ MetricDataResults })] }, run => {
    expect(run.stdout).toContain('Its last hour: 0 requests, 0 of them 5xx | ');
  });
});

test('says what it could not find out, and asks all the same', async () => {
  const refused = [{ fails: 'An error occurred (AccessDeniedException)' }];
  const answers = {
    'cloudtrail lookup-events': ['{"Events":[]}'],
    'ecr describe-image-scan-findings': refused,
    'ecs describe-services': refused,
  };
  await card(answers, run => {
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain(`Changes: https://console.example/commit/${COMMIT} |`);
    expect(run.stdout).toContain('Pushed by: unknown | ');
    expect(run.stdout).toContain('Scan: unknown | Staging: unknown | ');
    expect(run.stderr).toContain('Scan: An error occurred (AccessDeniedException)');
  });
});

test('an image from another region has no tests here', async () => {
  await card({ 'codebuild list-builds-for-project': ['[]'] }, run => {
    expect(run.stdout).toContain('Tests: no build in this region');
  });
});

test('is one line, not too long, and nothing that a pipeline could read as its own', async () => {
  const message = `"} $(rm -rf /) \`id\` \\n ${'x'.repeat(2000)}\nmore`;
  await card({ 'codecommit get-commit': [commit(message.replace('x', '#{variables.X}'))] }, run => {
    expect(run.stdout.length).toBeLessThanOrEqual(900);
    expect(run.stdout).not.toMatch(/[\n"$`\\]/);
    expect(run.stdout).not.toContain('#{');
  });
});

function commit(message: string): string {
  return JSON.stringify({ commit: { message, author: { name: 'Ada', email: 'ada@example.com' } } });
}

async function card(
  answers: Answers,
  examine: (run: ScriptRun) => void,
  environment: Record<string, string> = {},
): Promise<void> {
  const push = (id: string, arn: string) => ({
    CloudTrailEvent: JSON.stringify({
      eventName: 'GitPush',
      requestParameters: { references: [{ commit: id, ref: 'refs/heads/main' }] },
      userIdentity: { arn },
    }),
  });
  await runScript(
    approvalCardBuildspec(),
    {
      environment: {
        COMMIT,
        APPLICATION: 'storefront',
        CONTAINER_NAME: 'app',
        SOURCE_REPOSITORY: 'storefront',
        COMPARE_URL: 'https://console.example/compare/FROM...TO',
        COMMIT_URL: 'https://console.example/commit/TO',
        BUILD_PROJECT: 'storefront-build',
        REPOSITORY_NAME: 'storefront',
        STAGING: 'storefront-staging',
        STAGING_BALANCER: 'storefront-staging',
        PRODUCTION: 'storefront-production',
        DRIFT_PROJECT: 'storefront-drift',
        EXPIRES_AFTER_MINUTES: '10080',
        ...environment,
      },
      answers: {
        'codecommit get-commit': [commit('Sell more\n\nIt pays.')],
        'cloudtrail lookup-events': [
          JSON.stringify({
            Events: [
              push(NOW, 'arn:aws:iam::1:user/bob'),
              push(COMMIT, 'arn:aws:sts::1:assumed-role/Developer/ada@example.com'),
            ],
          }),
        ],
        'codebuild list-builds-for-project': ['["b:2","b:1"]', 'd:1'],
        'codebuild batch-get-builds': [
          JSON.stringify({
            builds: [
              { id: 'b:2', resolvedSourceVersion: NOW, reportArns: ['other'] },
              { id: 'b:1', resolvedSourceVersion: COMMIT, reportArns: ['unit', 'end-to-end'] },
            ],
          }),
          JSON.stringify({
            builds: [
              {
                buildStatus: 'SUCCEEDED',
                exportedEnvironmentVariables: [{ name: 'DRIFT', value: 'us-east-1-production' }],
              },
            ],
          }),
        ],
        'elbv2 describe-load-balancers': [
          'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/storefront-staging/50dc6c495c0c9188',
        ],
        'cloudwatch get-metric-data': [
          JSON.stringify({
            MetricDataResults: [
              { Id: 'requests', Values: [1200, 34] },
              { Id: 'errors', Values: [3] },
              { Id: 'latency', Values: [0.1234, 0.181] },
            ],
          }),
        ],
        'codebuild batch-get-reports': [
          JSON.stringify({
            reports: [
              { testSummary: { total: 30, statusCounts: { SUCCEEDED: 30 } } },
              { testSummary: { total: 12, statusCounts: { SUCCEEDED: 10, FAILED: 2 } } },
              { codeCoverageSummary: {} },
            ],
          }),
        ],
        'ecr describe-image-scan-findings': [
          '{"imageScanFindings":{"findingSeverityCounts":{"CRITICAL":1,"HIGH":3}}}',
        ],
        'ecs describe-services': ['revision:6', '{"services":[{"runningCount":2,"desiredCount":2}]}'],
        'cloudwatch describe-alarms': ['{"MetricAlarms":[{"AlarmName":"storefront-staging-cpu"}]}'],
        'ecs describe-task-definition': [
          JSON.stringify({
            taskDefinition: {
              containerDefinitions: [{ name: 'app', environment: [{ name: 'RELEASE', value: NOW }] }],
            },
          }),
        ],
        ...answers,
      },
      files: {
        'imagedefinitions.json': JSON.stringify([{ name: 'app', imageUri: `registry/storefront@${DIGEST}` }]),
      },
    },
    examine,
  );
}
