import { describe, expect, test } from 'vitest';
import type { ContainerConfig } from '../../../wire/oci/image-config.ts';
import { planLaunch } from './launch-plan.ts';

describe('the command', () => {
  test('is ENTRYPOINT and CMD, run in WORKDIR within the root', () => {
    const plan = launch({ Entrypoint: ['node'], Cmd: ['server.js'], WorkingDir: '/app' });
    expect(plan.argv).toEqual(['/tandem/bin/node', 'server.js']);
    expect(plan.cwd).toBe('/root-of-task/app');
  });

  test('has absolute paths of the image turned to the root, others left alone', () => {
    const plan = launch({ Cmd: ['node', '/app/server.js', '/not/in/image', '--x=/app'] }, [
      '/root-of-task/app/server.js',
    ]);
    expect(plan.argv).toEqual([
      '/tandem/bin/node',
      '/root-of-task/app/server.js',
      '/not/in/image',
      '--x=/app',
    ]);
  });

  test('takes node from Tandem and system programs from the machine, wherever the image has them', () => {
    expect(launch({ Cmd: ['/usr/local/bin/node', 'x'] }, ['/root-of-task/usr/local/bin/node']).argv[0]).toBe(
      '/tandem/bin/node',
    );
    expect(launch({ Cmd: ['/bin/sh', '-c', 'x'] }, ['/root-of-task/bin/sh', '/bin/sh']).argv[0]).toBe(
      '/bin/sh',
    );
    expect(launch({ Cmd: ['/usr/bin/tini'] }, ['/root-of-task/usr/bin/tini']).argv[0]).toBe(
      '/root-of-task/usr/bin/tini',
    );
  });

  test('takes a program of its own from the image', () => {
    expect(launch({ Cmd: ['/opt/server'] }, ['/root-of-task/opt/server']).argv).toEqual([
      '/root-of-task/opt/server',
    ]);
    expect(launch({ Cmd: ['./server'], WorkingDir: '/app' }, ['/root-of-task/app/server']).argv).toEqual([
      '/root-of-task/app/server',
    ]);
    const image = { Cmd: ['serve'], Env: ['PATH=/app/bin:/usr/bin'] };
    expect(launch(image, ['/root-of-task/app/bin', '/root-of-task/app/bin/serve']).argv).toEqual([
      '/root-of-task/app/bin/serve',
    ]);
  });

  test('can not climb out of the root', () => {
    expect(launch({ Cmd: ['node'], WorkingDir: '../../../etc' }).cwd).toBe('/root-of-task/etc');
    expect(launch({ Cmd: ['node', '/../../etc/passwd'] }, ['/etc/passwd']).argv[1]).toBe('/../../etc/passwd');
  });

  test('that is missing or nowhere is refused', () => {
    expect(() => launch({})).toThrow(/neither ENTRYPOINT nor CMD/);
    expect(() => launch({ Cmd: ['nothing-here'] })).toThrow(/"nothing-here": executable file not found/);
  });
});

test('the environment: the image, over it the task, over both PORT and TASK_ID', () => {
  const { environment } = launch({ Cmd: ['node'], Env: ['A=image', 'B=image', 'EMPTY', 'PORT=1'] });
  expect(environment).toMatchObject({ A: 'image', B: 'task', EMPTY: '', PORT: '20123', TASK_ID: 'task-1' });
  expect(environment['PATH']?.split(':')[0]).toBe('/tandem/bin');
});

test('the stop signal by name or number, SIGTERM where there is none', () => {
  const signal = (StopSignal?: string) =>
    launch({ Cmd: ['node'], ...(StopSignal !== undefined && { StopSignal }) }).stopSignal;
  expect([undefined, 'SIGQUIT', 'quit', '2', 'SIGRTMIN+3'].map(signal)).toEqual([
    'SIGTERM',
    'SIGQUIT',
    'SIGQUIT',
    'SIGINT',
    'SIGTERM',
  ]);
});

describe('the health check', () => {
  test('goes to the port of this task where it names its own container port', () => {
    const Test = [
      'CMD-SHELL',
      'curl -f http://localhost:8080/ || nc 127.0.0.1 8080 || curl http://other:8080 localhost:80801',
    ];
    expect(launch({ Cmd: ['node'], Healthcheck: { Test } }).healthCheck?.argv).toEqual([
      '/bin/sh',
      '-c',
      'curl -f http://localhost:20123/ || nc 127.0.0.1 20123 || curl http://other:8080 localhost:80801',
    ]);
  });

  test('has the times of the image, and the defaults of Docker', () => {
    const given = {
      Test: ['CMD', 'node', '/check.js'],
      Interval: 5e9,
      Timeout: 1e9,
      StartPeriod: 2e9,
      Retries: 2,
    };
    expect(launch({ Cmd: ['node'], Healthcheck: given }, ['/root-of-task/check.js']).healthCheck).toEqual({
      argv: ['node', '/root-of-task/check.js'],
      intervalMs: 5_000,
      timeoutMs: 1_000,
      startPeriodMs: 2_000,
      retries: 2,
    });
    const { healthCheck } = launch({ Cmd: ['node'], Healthcheck: { Test: ['CMD', 'true'] } });
    expect(healthCheck).toMatchObject({
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      retries: 3,
    });
  });

  test('is none where the image switched it off', () => {
    expect(launch({ Cmd: ['node'], Healthcheck: { Test: ['NONE'] } }).healthCheck).toBeUndefined();
    expect(launch({ Cmd: ['node'] }).healthCheck).toBeUndefined();
  });
});

function launch(image: ContainerConfig, files: string[] = []) {
  return planLaunch({
    task: { taskId: 'task-1', image: 'sha256:0', environment: { B: 'task' }, memoryMb: 512 },
    image,
    root: '/root-of-task',
    port: 20_123,
    containerPort: 8080,
    nodePath: '/tandem/bin/node',
    exists: path => files.includes(path),
  });
}
