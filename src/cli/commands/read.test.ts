import { expect, test } from 'vitest';
import { cloudDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli } from '../testing/command-run.ts';
import { executionOf, NOW, releaseRecordOf, serviceOf, releaseOf, succeeded } from '../testing/fixtures.ts';

test('executions lists those of every region, newest first', async () => {
  const cloud = cloudDouble();
  cloud.east.held = [executionOf({ letter: 'b', number: 2 }), succeeded(executionOf())];
  cloud.west.held = [executionOf({ status: 'RolledBack', region: 'us-west-2' })];
  const { stdout, exitCode } = await runCli(['executions'], { cloud });
  expect(linesOf(stdout)).toEqual([
    'us-east-1  bbbbbbbb  waiting      ✓ Source  ✓ Build  ✓ Staging  ● Approval  ○ Production  #2 bbbbbbb Change b  1 min ago',
    'us-east-1  aaaaaaaa  succeeded    ✓ Source  ✓ Build  ✓ Staging  ✓ Approval  ✓ Production  #1 aaaaaaa Change a  1 min ago',
    'us-west-2  aaaaaaaa  rolled back  ✓ Source  ✓ Build  ✓ Staging  ● Approval  ○ Production  #1 aaaaaaa Change a  1 min ago',
  ]);
  expect(exitCode).toBe(0);
});

test('executions <id> shows everything about one', async () => {
  const cloud = cloudDouble();
  const approval = { decision: 'Approved' as const, by: 'grace', comment: 'fine', at: NOW };
  cloud.west.held = [{ ...succeeded(executionOf({ region: 'us-west-2' })), approval }];
  const { stdout } = await runCli(['executions', 'aaaaaaaa'], { cloud });
  expect(linesOf(stdout)).toEqual([
    'aaaaaaaa-0000-4000-8000-000000000001  #1 in us-west-2',
    '  status    succeeded',
    `  commit    ${'a'.repeat(40)} Change a`,
    '  author    Ada <ada@example.com>',
    '  started   2026-11-23 02:14:00Z by push of Ada <ada@example.com> (refs/heads/main)',
    '  ended     2026-11-23 02:14:42Z, after 42 s',
    `  image     sha256:${'a'.repeat(64)} built in us-east-1`,
    '  approval  approved by grace: fine',
    '',
    '  ✓ Source      10 s',
    '  ✓ Build       10 s',
    '  ✓ Staging     10 s',
    '  ✓ Approval    10 s',
    '  ✓ Production',
  ]);
});

test('executions <id> --follow stays until it ends, and exits accordingly', async () => {
  const cloud = cloudDouble();
  cloud.east.held = [executionOf({ status: 'InProgress', stage: 'Build' })];
  cloud.east.script(executionOf().id, {}, { status: 'Failed', cause: 'npm test: exit status 1' });
  const { exitCode, stdout } = await runCli(['executions', 'aaaa', '--follow'], { cloud });
  expect(stdout).toBe('us-east-1  failed       #1 aaaaaaa Change a: npm test: exit status 1\n');
  expect(exitCode).toBe(1);
});

test('releases tells what runs where, and what cannot be gone back to', async () => {
  const cloud = cloudDouble();
  cloud.east.releaseRecords = [
    releaseRecordOf('b', { runningIn: ['staging', 'production'] }),
    releaseRecordOf('a', { deployedAt: { production: NOW - 3_600_000 }, imageAvailable: false }),
  ];
  const { stdout } = await runCli(['releases'], { cloud });
  expect(linesOf(stdout)).toEqual([
    'us-east-1  bbbbbbb  Change b  built 1 min ago in us-east-1  in staging, in production',
    'us-east-1  aaaaaaa  Change a  built 1 min ago in us-east-1  was in production 1 h ago  image gone',
  ]);
});

test('logs of all regions come in the order of time', async () => {
  const cloud = cloudDouble();
  cloud.east.log('production', 'task-0001-long-id', 'first', NOW - 2);
  cloud.west.log('production', 'task-0002-long-id', 'second\u001b[31m', NOW - 1);
  cloud.east.log('production', 'task-0001-long-id', 'third', NOW);
  cloud.east.log('staging', 'task-0003', 'not asked for', NOW);
  const { stdout } = await runCli(['logs', 'production'], { cloud });
  expect(linesOf(stdout)).toEqual([
    '2026-11-23T02:14:59.998Z us-east-1 production/task-000 first',
    '2026-11-23T02:14:59.999Z us-west-2 production/task-000 second',
    '2026-11-23T02:15:00.000Z us-east-1 production/task-000 third',
  ]);
});

test('logs can be narrowed down by time, text and stream', async () => {
  const cloud = cloudDouble();
  cloud.east.log('staging', 'one', 'old error', NOW - 700_000);
  cloud.east.log('staging', 'one', 'new error', NOW - 1);
  cloud.east.log('staging', 'one', 'all fine', NOW - 1);
  cloud.east.log('staging', 'two', 'other error', NOW - 1);
  const argv = ['logs', '--since', '10m', '--grep', 'error', '--stream', 'one', '--json'];
  const { stdout } = await runCli(argv, { cloud });
  expect(linesOf(stdout).map(line => JSON.parse(line) as unknown)).toEqual([
    { region: 'us-east-1', sequence: 2, at: NOW - 1, group: 'staging', stream: 'one', message: 'new error' },
  ]);
  expect((await runCli(['logs', '--since', 'yesterday'], { cloud })).exitCode).toBe(2);
});

test('requests at the load balancers have the name of their environment, and show no more than text', async () => {
  const cloud = cloudDouble();
  cloud.east.log('balancer', 'production', '127.0.0.1 "GET http://a:80/\u001b[31m HTTP/1.1" 200');
  cloud.west.log('balancer', 'staging', 'not asked for');
  const { exitCode, stdout, stderr } = await runCli(['logs', 'balancer', '--stream', 'production'], {
    cloud,
  });
  expect(stdout).toBe(
    '2026-11-23T02:15:00.000Z us-east-1 balancer/production 127.0.0.1 "GET http://a:80/ HTTP/1.1" 200\n',
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('logs of a region that is down are missed openly', async () => {
  const cloud = cloudDouble();
  cloud.west.isUnreachable = true;
  cloud.east.log('staging', 'one', 'here');
  const { exitCode, stdout, stderr } = await runCli(['logs'], { cloud });
  expect(stdout).toContain('here');
  expect(stderr).toContain('error[REGION_UNREACHABLE]: us-west-2:');
  expect(exitCode).toBe(6);
});

test('events -f goes on until Ctrl-C, through a loss of contact, and misses none', async () => {
  const cloud = cloudDouble();
  cloud.east.tell('one');
  let interrupt: () => void = () => undefined;
  const { exitCode, stdout, stderr } = await runCli(['events', '-f', '--region', 'us-east-1'], {
    cloud,
    onInterrupt: listener => {
      interrupt = listener;
      return () => undefined;
    },
    onWrite(text) {
      if (text.includes('one')) cloud.east.cutStreams();
      if (text.includes('does not answer')) {
        cloud.east.tell('two', { severity: 'error' });
        cloud.east.isUnreachable = false;
      }
      if (text.includes('two')) interrupt();
    },
  });
  expect(linesOf(stdout)).toEqual([
    '2026-11-23T02:15:00.000Z us-east-1 pipeline one',
    '2026-11-23T02:15:00.000Z us-east-1 pipeline two',
  ]);
  expect(stderr).toContain('us-east-1: contact is back\n');
  expect(exitCode).toBe(0);
});

test('restart replaces the tasks of what runs, and follows the deployment', async () => {
  const cloud = cloudDouble();
  const before = serviceOf('production', { release: releaseOf('a') });
  cloud.east.services = [before, serviceOf('staging')];
  const deployment = {
    id: 'd2',
    service: 'production' as const,
    release: releaseOf('a'),
    failedTasks: 0,
    startedAt: NOW,
  };
  cloud.east.onServiceChange = () => {
    cloud.east.services = [{ ...before, deployment: { ...deployment, status: 'SUCCESSFUL' } }];
  };
  const { exitCode, stdout } = await runCli(['restart'], { cloud });
  expect(cloud.east.calls).toEqual(['restart production']);
  expect(cloud.west.calls).toEqual([]);
  expect(stdout).toBe('us-east-1  production  restarted\n');
  expect(exitCode).toBe(0);
});

test('scale sets the count, and waits until that many tasks are healthy', async () => {
  const cloud = cloudDouble();
  const counted = (count: number) =>
    serviceOf('production', { desired: count, running: count, healthyTargets: count, pending: 0 });
  cloud.east.services = [counted(2), serviceOf('staging')];
  cloud.east.onServiceChange = () => {
    cloud.east.services = [counted(4), serviceOf('staging')];
  };
  const argv = ['scale', 'production', '--count', '4', '--region', 'us-east-1'];
  const { exitCode, stdout } = await runCli(argv, { cloud });
  expect(cloud.east.calls).toEqual(['scale production 4']);
  expect(cloud.west.calls).toEqual([]);
  expect(stdout).toBe('us-east-1  production  4/4\n');
  expect(exitCode).toBe(0);
});

test('scale without a count is wrong use, and changes nothing', async () => {
  const cloud = cloudDouble();
  const { exitCode, stderr } = await runCli(['scale', 'production'], { cloud });
  expect(stderr).toContain('--count');
  expect(cloud.east.calls).toEqual([]);
  expect(exitCode).toBe(2);
});
