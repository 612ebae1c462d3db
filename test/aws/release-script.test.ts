import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { runScript, type Answer, type Answers, type ScriptRun } from './script-run.ts';
import { releaseBuildspec } from '../../src/aws/terraform/modules/release-buildspec.ts';

/* The script itself runs here, in Bash; what ECS answers is as its API reference says. */

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('a release', () => {
  test('registers the newest revision with the image by its digest, and follows the deployment to its end', async () => {
    await released(
      { deployments: [inProgress(), inProgress('BAKE_TIME'), ended('SUCCESSFUL')] },
      async run => {
        expect(run.stderr).toBe('');
        expect(run.exitCode).toBe(0);
        const { containerDefinitions, family, status } = (await run.written('task-definition.json')) as {
          family: string;
          status?: string;
          containerDefinitions: Record<string, unknown>[];
        };
        expect(family).toBe('storefront-production');
        expect(status).toBeUndefined();
        expect(containerDefinitions[0]).toMatchObject({
          image: `registry/storefront@${DIGEST}`,
          environment: [
            { name: 'PORT', value: '8080' },
            { name: 'RELEASE', value: 'c0ffee' },
            { name: 'RELEASE_DIGEST', value: DIGEST },
          ],
        });
        expect(containerDefinitions[0]).not.toHaveProperty('command');
        expect(callsOf(run, 'ecs update-service')).toHaveLength(1);
      },
    );
  });

  test('keeps its image, and the one before it, from expiring', async () => {
    await released({ deployments: [ended('SUCCESSFUL')] }, run => {
      expect(callsOf(run, 'ecr put-image').map(call => / --image-tag (\S+)/.exec(call)![1])).toEqual([
        'in-use-production-us-east-1-next',
        'in-use-production-us-east-1-before',
        'in-use-production-us-east-1-now',
      ]);
    });
  });

  test.each(['ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED', 'STOPPED'])(
    'that ended as %s is no success',
    async status => {
      await released({ deployments: [inProgress(), ended(status, 'tasks failed to start')] }, run => {
        expect(run.exitCode).toBe(1);
        expect(run.stderr).toContain(`The release did not stay: ${status}. tasks failed to start`);
        // Its image is not what runs now.
        expect(callsOf(run, 'ecr put-image')).toHaveLength(1);
      });
    },
  );

  test('follows its own deployment, not that of another release that began since', async () => {
    // At first ECS does not list it yet.
    const overtaken = [listed('old'), listed('others', 'new', 'old')];
    await released({ listed: overtaken, deployments: [ended('STOPPED')] }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('The release did not stay: STOPPED');
      expect(callsOf(run, 'ecs describe-service-deployments')[0]).toContain('--service-deployment-arns new ');
    });
  });

  test('whose deployment ECS does not show in time ends as not known', async () => {
    const environment = { LIMIT_MINUTES: '-1' };
    await released({ listed: [listed('old')], deployments: [], environment }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain(
        'ECS shows no deployment of revision:7: how the release ends is not known',
      );
    });
  });

  test('outlives answers that do not come', async () => {
    const lost: Answer = { fails: 'Could not connect to the endpoint URL' };
    await released({ deployments: [inProgress(), lost, lost, ended('SUCCESSFUL')] }, run => {
      expect(run.exitCode).toBe(0);
    });
  });

  test('says that the end is not known when no more answers come at all', async () => {
    await released({ deployments: [inProgress(), { fails: 'Could not connect' }] }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('is not known');
    });
  });

  test('that does not end in time is rolled back', async () => {
    const deployments = [inProgress(), inProgress(), ended('ROLLBACK_SUCCESSFUL')];
    await released({ deployments, environment: { LIMIT_MINUTES: '-1' } }, run => {
      expect(run.exitCode).toBe(1);
      expect(callsOf(run, 'ecs stop-service-deployment')).toEqual([
        'ecs stop-service-deployment --service-deployment-arn new --stop-type ROLLBACK',
      ]);
    });
  });

  test('without a source takes the image that is tagged with the commit', async () => {
    await released({ deployments: [ended('SUCCESSFUL')], files: {} }, run => {
      expect(run.exitCode).toBe(0);
      expect(callsOf(run, 'ecr describe-images')[0]).toContain('imageTag=c0ffee');
    });
  });
});

describe('at a pause', () => {
  test('goes on at once where no step is, waits where one is, and continues each shift once', async () => {
    const deployments = [0, 0, 10, 20, 50].map(share => paused(share));
    const environment = { STEPS: '[{"percent":10,"minutes":0},{"percent":50,"minutes":0}]' };
    await released({ deployments: [...deployments, ended('SUCCESSFUL')], environment }, run => {
      expect(run.exitCode).toBe(0);
      // The second answer of 0 % is the same pause, on its way.
      expect(callsOf(run, 'ecs continue-service-deployment')).toHaveLength(4);
      expect(callsOf(run, 'ecs continue-service-deployment')[0]).toContain(
        '--hook-id hook --action CONTINUE',
      );
    });
  });

  test('does not go on before the step has done well for its time, and sees a rollback meanwhile', async () => {
    const environment = { STEPS: '[{"percent":10,"minutes":10}]' };
    const deployments = [paused(10), paused(10), ended('ROLLBACK_SUCCESSFUL', 'alarm detected')];
    await released({ deployments, environment }, run => {
      expect(run.stdout).toContain('must do well for 10 minutes');
      expect(callsOf(run, 'ecs continue-service-deployment')).toEqual([]);
      expect(run.exitCode).toBe(1);
    });
  });

  test('leaves the rest to a person at the gate, and is done', async () => {
    await released({ deployments: [paused(0), paused(10)], environment: { GATE_PERCENT: '10' } }, run => {
      expect(run.exitCode).toBe(0);
      expect(run.stdout).toContain('a person decides');
      expect(callsOf(run, 'ecs continue-service-deployment')).toHaveLength(1);
    });
  });

  test('resumed after the gate, goes on without waiting again, and starts nothing new', async () => {
    const environment = { MODE: 'resume', GATE_PERCENT: '10', STEPS: '[{"percent":10,"minutes":60}]' };
    await released({ deployments: [paused(10), ended('SUCCESSFUL')], environment }, run => {
      expect(run.exitCode).toBe(0);
      expect(callsOf(run, 'ecs continue-service-deployment')).toHaveLength(1);
      expect(callsOf(run, 'ecs update-service')).toEqual([]);
    });
  });

  test('resumed after another release took its place, leaves that alone and is no success', async () => {
    const environment = { MODE: 'resume', GATE_PERCENT: '10' };
    const overtaken = [listed('others', 'new', 'old')];
    await released({ listed: overtaken, deployments: [paused(10)], environment }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('Another release has taken its place meanwhile: others brings busybox');
      expect(callsOf(run, 'ecs continue-service-deployment')).toEqual([]);
    });
  });

  test('resumed after an alarm rolled it back meanwhile, is no success', async () => {
    const environment = { MODE: 'resume', GATE_PERCENT: '10' };
    await released({ deployments: [ended('ROLLBACK_SUCCESSFUL')], environment }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('The release did not stay: ROLLBACK_SUCCESSFUL');
    });
  });

  test('refused, is rolled back', async () => {
    const refused = { fails: 'An error occurred (AccessDeniedException)' };
    const told = {
      listed: ['new'],
      deployments: [],
      answers: { 'ecs describe-service-revisions': [refused] },
    };
    await released({ ...told, environment: { MODE: 'roll-back' } }, run => {
      expect(run.exitCode).toBe(0);
      expect(callsOf(run, 'ecs stop-service-deployment')).toEqual([
        'ecs stop-service-deployment --service-deployment-arn new --stop-type ROLLBACK',
      ]);
    });
  });
});

describe('a step that few requests came to', () => {
  const environment = { MINIMUM_REQUESTS: '100' };
  const counts = (...sums: number[]) => ({
    'cloudwatch get-metric-statistics': sums.map(sum =>
      JSON.stringify({ Datapoints: sum === 0 ? [] : [{ Sum: sum }, { Sum: 1 }] }),
    ),
  });

  test('is waited at until enough came to the new target group, and says so', async () => {
    const deployments = [paused(0), paused(10), paused(10), paused(10), ended('SUCCESSFUL')];
    await released({ deployments, environment, answers: counts(0, 40, 99) }, run => {
      expect(run.stderr).toBe('');
      expect(run.exitCode).toBe(0);
      expect(run.stdout).toMatch(/At 10 % waiting for requests: 0 of 100, until \d\d:\d\d UTC/);
      expect(run.stdout).toContain('waiting for requests: 41 of 100');
      expect(run.stdout).toContain('At 10 % the new release had 100 requests, of 100 needed');
      // The pause at 0 % needs none.
      expect(callsOf(run, 'ecs continue-service-deployment')).toHaveLength(2);
      const [asked] = callsOf(run, 'cloudwatch get-metric-statistics');
      expect(asked).toContain(
        'Name=LoadBalancer,Value=app/storefront/1 Name=TargetGroup,Value=targetgroup/green/2',
      );
    });
  });

  test('is rolled back when they do not come in time, which is no success', async () => {
    const deployments = [paused(10), paused(10), ended('ROLLBACK_SUCCESSFUL')];
    const late = { ...environment, SAMPLE_MINUTES: '0' };
    await released({ deployments, environment: late, answers: counts(3) }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('had 4 of 100 requests after 0 minutes: too few to call it healthy');
      expect(run.stderr).toContain('The release did not stay: ROLLBACK_SUCCESSFUL');
      expect(callsOf(run, 'ecs stop-service-deployment')).toHaveLength(1);
      expect(callsOf(run, 'ecs continue-service-deployment')).toEqual([]);
    });
  });

  test('whose requests cannot be counted has not had enough', async () => {
    const deployments = [paused(10), ended('ROLLBACK_SUCCESSFUL')];
    const answers = { ...counts(0), 'cloudwatch get-metric-statistics': [{ fails: 'AccessDenied' }] };
    const late = { ...environment, SAMPLE_MINUTES: '0' };
    await released({ deployments, environment: late, answers }, run => {
      expect(run.stderr).toContain('AccessDenied');
      expect(run.stderr).toContain('had unknown of 100 requests');
    });
  });

  test('needs none where no step of the configuration is', async () => {
    const steps = { ...environment, STEPS: '[{"percent":50,"minutes":0}]' };
    const deployments = [paused(10), ended('SUCCESSFUL')];
    await released({ deployments, environment: steps, answers: counts(0) }, run => {
      expect(run.exitCode).toBe(0);
      expect(callsOf(run, 'cloudwatch get-metric-statistics')).toEqual([]);
    });
  });

  test('comes before the question to a person', async () => {
    const gated = { ...environment, GATE_PERCENT: '10' };
    await released(
      { deployments: [paused(10), paused(10)], environment: gated, answers: counts(1, 500) },
      run => {
        expect(run.exitCode).toBe(0);
        expect(run.stdout.indexOf('501 requests')).toBeLessThan(run.stdout.indexOf('a person decides'));
      },
    );
  });

  test('gets requests of the release’s own, twice what would do and no more', async () => {
    let received = 0;
    const server = createServer((request, response) => {
      if (request.headers['user-agent'] === 'Tandem-Synthetic/1') received += 1;
      response.end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const synthetic = {
        MINIMUM_REQUESTS: '3',
        SYNTHETIC_PER_SECOND: '100',
        SYNTHETIC_URL: `http://127.0.0.1:${port}/health`,
      };
      const deployments = [paused(50), paused(50), paused(50), ended('SUCCESSFUL')];
      await released({ deployments, environment: synthetic, answers: counts(0, 0, 5) }, run => {
        expect(run.exitCode).toBe(0);
        expect(received).toBe(12);
      });
    } finally {
      server.close();
    }
  });
});

describe('a migration', () => {
  const environment = { MIGRATION: '["node","migrate.js"]' };
  const stopped = (exitCode: number) =>
    JSON.stringify({
      tasks: [
        {
          lastStatus: 'STOPPED',
          stoppedReason: 'Essential container in task exited',
          containers: [{ name: 'app', exitCode }],
        },
      ],
    });

  test('runs in a task of the new revision before anything is released', async () => {
    const answers = { 'ecs describe-tasks': ['{"tasks":[{"lastStatus":"PENDING"}]}', stopped(0)] };
    await released({ deployments: [ended('SUCCESSFUL')], environment, answers }, run => {
      expect(run.exitCode).toBe(0);
      expect(callsOf(run, 'ecs run-task')[0]).toContain('--task-definition revision:7');
      expect(callsOf(run, 'ecs run-task')[0]).toContain('"command":["node","migrate.js"]');
      const order = run.calls.map(call => call.split(' ')[1]);
      expect(order.indexOf('run-task')).toBeLessThan(order.indexOf('update-service'));
    });
  });

  test('that fails stops the release before it', async () => {
    await released({ deployments: [], environment, answers: { 'ecs describe-tasks': [stopped(3)] } }, run => {
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain('The migration failed with exit code 3');
      expect(callsOf(run, 'ecs update-service')).toEqual([]);
    });
  });
});

interface Told {
  deployments: readonly Answer[];
  /** What ECS lists, call by call; by default the release’s own as the newest. */
  listed?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  answers?: Answers;
  files?: Readonly<Record<string, string>>;
}

async function released(told: Told, examine: (run: ScriptRun) => void | Promise<void>): Promise<void> {
  await runScript(
    releaseBuildspec(),
    {
      environment: {
        CLUSTER: 'storefront-production',
        SERVICE: 'storefront-production',
        FAMILY: 'storefront-production',
        CONTAINER_NAME: 'app',
        REPOSITORY_NAME: 'storefront',
        SIGNATURES: '',
        SIGNING_KEY: '',
        IMAGE_PROJECT: 'storefront-image',
        REPOSITORY_URI: 'registry/storefront',
        ENVIRONMENT: 'production',
        MODE: 'deploy',
        RELEASE: 'c0ffee',
        STEPS: '[]',
        GATE_PERCENT: '',
        LIMIT_MINUTES: '60',
        MIGRATION: '',
        MINIMUM_REQUESTS: '0',
        SAMPLE_MINUTES: '15',
        SYNTHETIC_PER_SECOND: '0',
        SYNTHETIC_URL: '',
        LOAD_BALANCER: 'app/storefront/1',
        ...told.environment,
      },
      answers: {
        'ecr describe-images': [DIGEST],
        'ecr batch-get-image': [
          JSON.stringify({ images: [{ imageManifest: '{}', imageManifestMediaType: 'application/json' }] }),
        ],
        'ecs describe-task-definition': [{ runs: DESCRIBE_TASK_DEFINITION }],
        'ecs register-task-definition': ['revision:7'],
        'ecs describe-services': [
          '{"services":[{"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}}]}',
        ],
        'ecs run-task': ['task'],
        'ecs list-service-deployments': told.listed ?? [listed('new', 'old')],
        'ecs describe-service-revisions': [{ runs: DESCRIBE_REVISIONS }],
        'ecs describe-service-deployments': told.deployments,
        ...told.answers,
      },
      files: told.files ?? {
        'imagedefinitions.json': JSON.stringify([{ name: 'app', imageUri: `registry/storefront@${DIGEST}` }]),
      },
    },
    examine,
  );
}

const TASK_DEFINITION = JSON.stringify({
  taskDefinition: {
    family: 'storefront-production',
    status: 'ACTIVE',
    revision: 6,
    cpu: '256',
    containerDefinitions: [
      { name: 'app', image: 'busybox', command: ['sh'], environment: [{ name: 'PORT', value: '8080' }] },
    ],
  },
  tags: [{ key: 'Customer', value: 'acme' }],
});

/** Each deployment brings the revision of its name; `new` brings the release's own. */
function listed(...deployments: string[]): string {
  return JSON.stringify({
    serviceDeployments: deployments.map(name => ({
      serviceDeploymentArn: name,
      targetServiceRevisionArn: `revision-of-${name}`,
    })),
  });
}

const DESCRIBE_REVISIONS = `
if [[ "$*" == *targetGroupArn* ]]; then
  echo arn:aws:elasticloadbalancing:eu:1:targetgroup/green/2
else
  jq -n '{serviceRevisions: $ARGS.positional | map(select(startswith("revision-of-"))
    | {serviceRevisionArn: ., taskDefinition: (if . == "revision-of-new" then "revision:7" else "revision:6" end)})}' --args -- "$@"
fi`;

const DESCRIBE_TASK_DEFINITION = `
image=busybox
if [[ "$*" == *revision:7* ]]; then image=registry/storefront@${DIGEST}; fi
jq --arg image "$image" '.taskDefinition.containerDefinitions[0].image = $image' <<< '${TASK_DEFINITION}'`;

function inProgress(lifecycleStage?: string): string {
  return JSON.stringify({ serviceDeployments: [{ status: 'IN_PROGRESS', lifecycleStage }] });
}

function paused(share: number): string {
  return JSON.stringify({
    serviceDeployments: [
      {
        status: 'IN_PROGRESS',
        lifecycleStage: 'PRE_PRODUCTION_TRAFFIC_SHIFT',
        lifecycleHookDetails: [{ hookId: 'hook', targetType: 'PAUSE', status: 'AWAITING_ACTION' }],
        targetServiceRevision: { requestedProductionTrafficWeight: share },
      },
    ],
  });
}

function ended(status: string, statusReason?: string): string {
  return JSON.stringify({ serviceDeployments: [{ status, statusReason }] });
}

function callsOf({ calls }: ScriptRun, command: string): string[] {
  return calls.filter(call => call.startsWith(`${command} `));
}
