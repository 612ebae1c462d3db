import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cloudDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli } from '../testing/command-run.ts';
import { commitId, executionOf, NOW, releaseOf, serviceOf } from '../testing/fixtures.ts';

test('shows each region: health, services, the execution with its stages, and replication', async () => {
  const cloud = cloudDouble();
  cloud.east.services = [
    serviceOf('production', {
      desired: 4,
      running: 4,
      release: releaseOf('b'),
      deployment: {
        id: 'd1',
        service: 'production',
        release: releaseOf('a'),
        status: 'IN_PROGRESS',
        waiting: { for: '1 of 4 new tasks healthy' },
        failedTasks: 0,
        startedAt: NOW,
      },
    }),
    serviceOf('staging', { release: releaseOf('a') }),
  ];
  cloud.east.held = [executionOf({ waiting: { for: 'a person to approve', until: NOW + 7 * 86_400_000 } })];
  cloud.east.statusOverrides = {
    health: 'degraded',
    problems: ['refs/heads/main is split'],
    replication: [{ peer: 'us-west-2', state: 'behind', pendingRefs: 1, lagMs: 1_500, splits: [] }],
  };

  const { exitCode, stdout, stderr } = await runCli(['status'], { cloud });

  expect(linesOf(stdout)).toEqual([
    'us-east-1 (primary)  degraded',
    '  problem      refs/heads/main is split',
    '  production   bbbbbbb  4/4 running  http://127.0.1.1:8001',
    '               deploying aaaaaaa: 1 of 4 new tasks healthy',
    '  staging      aaaaaaa  2/2 running  http://127.0.1.1:8002',
    '  execution    #1 aaaaaaa Change a  aaaaaaaa, 1 min ago',
    '               ✓ Source  ✓ Build  ✓ Staging  ● Approval  ○ Production  waiting for a person to approve (until 2026-11-30 02:15:00Z)',
    '  replication  us-west-2 behind by 1 ref, for 1.5 s',
    '',
    'us-west-2  healthy',
    '  production  nothing  2/2 running  http://127.0.1.1:8001',
    '  staging     nothing  2/2 running  http://127.0.1.1:8002',
    '  execution   none yet: git push tandem',
  ]);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
});

test('says in one line what AWS will do otherwise, where the file tells', async () => {
  const workingFolder = await mkdtemp(join(tmpdir(), 'tandem-status-'));
  try {
    await writeFile(
      join(workingFolder, 'tandem.config.ts'),
      `export default { application: 'shop', migration: { command: ['migrate'] },
        environments: { production: { deployment: { strategy: 'canary' } } } };\n`,
    );
    const { stdout, stderr, exitCode } = await runCli(['status'], { cloud: cloudDouble(), workingFolder });
    expect(stderr).toBe(
      'note: production is deployed to as rolling here, and as canary on AWS; the migration is run on AWS only\n',
    );
    expect(stdout).not.toContain('canary');
    expect(exitCode).toBe(0);
    await writeFile(join(workingFolder, 'broken.ts'), 'export default {');
    const broken = await runCli(['status', '--config', 'broken.ts'], { cloud: cloudDouble(), workingFolder });
    expect(broken).toMatchObject({ exitCode: 0, stderr: '' });
  } finally {
    await rm(workingFolder, { recursive: true, force: true });
  }
});

test('--json holds every region with full commit ids, and null where there is nothing', async () => {
  const cloud = cloudDouble();
  cloud.east.services = [serviceOf('production'), serviceOf('staging', { release: releaseOf('a') })];
  cloud.east.held = [executionOf()];
  const { stdout } = await runCli(['status', '--json'], { cloud });
  expect(JSON.parse(stdout)).toMatchObject({
    regions: [
      {
        region: 'us-east-1',
        health: 'healthy',
        services: {
          staging: { url: 'http://127.0.1.1:8002', release: commitId('a'), running: 2, desired: 2 },
          production: { url: 'http://127.0.1.1:8001', release: null, running: 2, desired: 2 },
        },
        execution: { id: executionOf().id, status: 'Waiting', stage: 'Approval' },
      },
      { region: 'us-west-2', execution: null },
    ],
  });
});

test('a split is told by both its sides, and its mend once, as commands to copy', async () => {
  const cloud = cloudDouble();
  const mends = [
    { keeps: 'what us-east-1 has', command: 'git push --force http://127.0.2.1:8000/git/storefront.git a:b' },
    { keeps: 'what us-west-2 has', command: 'git push --force http://127.0.1.1:8000/git/storefront.git a:b' },
  ];
  const sides = [
    [cloud.east, 'us-west-2', mends],
    [cloud.west, 'us-east-1', mends.toReversed()],
  ] as const;
  for (const [region, peer, ways] of sides) {
    const split = { ref: 'refs/heads/main', here: commitId('a'), there: commitId('b'), mends: [...ways] };
    region.statusOverrides = {
      problems: ['main has split'],
      replication: [
        { peer, state: 'split', pendingRefs: 0, lagMs: 0, splits: [split], message: 'main has split' },
      ],
    };
  }
  const { stdout } = await runCli(['status'], { cloud });
  expect(stdout).toContain('  problem      main has split\n');
  expect(stdout).toContain('  replication  us-west-2 split: refs/heads/main\n');
  expect(linesOf(stdout).slice(-6)).toEqual([
    '',
    'To mend refs/heads/main, in a clone of the repository, one of:',
    '  to keep what us-east-1 has:',
    `    ${mends[0]!.command}`,
    '  to keep what us-west-2 has:',
    `    ${mends[1]!.command}`,
  ]);
  for (const { command } of mends) expect(stdout.split(command)).toHaveLength(2);
});

test('a region that does not answer hides no other, and makes the exit code 6', async () => {
  const cloud = cloudDouble();
  cloud.west.isUnreachable = true;
  const { exitCode, stdout } = await runCli(['status'], { cloud });
  expect(stdout).toContain('us-east-1 (primary)  healthy\n  production');
  expect(stdout).toContain('us-west-2  unreachable\n  problem  us-west-2 does not answer\n');
  expect(exitCode).toBe(6);
});

test('--region narrows it down, and an unknown region is wrong use', async () => {
  const cloud = cloudDouble();
  const { stdout } = await runCli(['status', '--region', 'us-west-2'], { cloud });
  expect(stdout).toMatch(/^us-west-2/);
  expect(stdout).not.toContain('us-east-1');
  expect(await runCli(['status', '--region', 'us-wset-2'], { cloud })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'error[REGION_UNKNOWN]: there is no region us-wset-2 here, only us-east-1, us-west-2; did you mean us-west-2?\n',
  });
});

test('colours are for terminals only, and not where NO_COLOR is set', async () => {
  const cloud = cloudDouble();
  const escape = '\u001b[';
  expect((await runCli(['status'], { cloud })).stdout).not.toContain(escape);
  expect((await runCli(['status'], { cloud, isTerminal: true })).stdout).toContain(escape);
  const refused = { cloud, isTerminal: true, environment: { NO_COLOR: '1' } };
  expect((await runCli(['status'], refused)).stdout).not.toContain(escape);
});

test('text from outside cannot steer the terminal', async () => {
  const cloud = cloudDouble();
  const hostile = executionOf();
  hostile.commit.subject = 'Nice \u001b[2J\u001b]0;owned\u0007change';
  cloud.east.held = [hostile];
  const { stdout } = await runCli(['status'], { cloud });
  expect(stdout).toContain('#1 aaaaaaa Nice change');
});

test('a subject that is a whole text is cut to what a line has room for', async () => {
  const cloud = cloudDouble();
  const execution = executionOf();
  cloud.east.held = [{ ...execution, commit: { ...execution.commit, subject: 'x'.repeat(10_000) } }];
  const { stdout } = await runCli(['status'], { cloud });
  expect(stdout).toContain(` ${'x'.repeat(71)}…  `);
  expect(stdout).not.toContain('x'.repeat(72));
});
