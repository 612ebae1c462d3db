import { expect, test } from 'vitest';
import { cloudDouble, type CloudDouble, type RegionDouble } from '../testing/cloud-double.ts';
import { linesOf, runCli } from '../testing/command-run.ts';
import { executionOf, stagesAt, succeeded } from '../testing/fixtures.ts';

const CAUSE = 'production rolled back: 3 tasks failed to start';

test('approve lets every waiting execution of every region go on, and follows them to their end', async () => {
  const cloud = waitingCloud();
  cloud.east.script(eastId, { stage: 'Production', stages: stagesAt('Production', 'InProgress') }, () =>
    succeeded(cloud.east.held[0]!),
  );
  cloud.west.script(westId, () => succeeded(cloud.west.held[0]!));

  const { exitCode, stdout, stderr } = await runCli(['approve', '--comment', 'tested'], { cloud });

  expect(cloud.east.calls).toEqual([`Approved ${eastId} by ada: tested`]);
  expect(cloud.west.calls).toEqual([`Approved ${westId} by ada: tested`]);
  expect(linesOf(stdout)).toEqual([
    'us-east-1  succeeded    #1 aaaaaaa Change a, in 42 s',
    'us-west-2  succeeded    #1 aaaaaaa Change a, in 42 s',
  ]);
  expect(stderr).toContain('us-east-1  approved #1 aaaaaaa Change a\n');
  expect(stderr).toContain(
    'us-east-1  ✓ Source  ✓ Build  ✓ Staging  ✓ Approval  ● Production  in progress\n',
  );
  expect(exitCode).toBe(0);
});

test('approve without an id is refused while different commits wait: regions must not part unasked', async () => {
  const cloud = waitingCloud();
  const west = cloud.west.held[0]!;
  cloud.west.held[0] = { ...west, commit: { ...west.commit, id: 'b'.repeat(40) } };
  const { exitCode, stderr } = await runCli(['approve'], { cloud });
  expect(stderr).toContain('error[EXECUTIONS_DIFFER]');
  expect(stderr).toContain('(aaaaaaa)');
  expect(stderr).toContain('(bbbbbbb)');
  expect([...cloud.east.calls, ...cloud.west.calls]).toEqual([]);
  expect(exitCode).toBe(2);
});

test('endings differ in words and exit codes, and the worst wins', async () => {
  const endings = [
    [
      { status: 'Succeeded' },
      { status: 'RolledBack', cause: CAUSE },
      3,
      `rolled back  #1 aaaaaaa Change a: ${CAUSE}`,
    ],
    [
      { status: 'RolledBack', cause: CAUSE },
      { status: 'Failed', cause: 'exit 1' },
      1,
      'failed       #1 aaaaaaa',
    ],
    [{ status: 'Succeeded' }, { status: 'Stopped' }, 1, 'stopped      #1 aaaaaaa'],
    [{ status: 'Succeeded' }, { status: 'Superseded' }, 1, 'superseded   #1 aaaaaaa'],
    [{ status: 'Succeeded' }, { status: 'Waiting', approval: undefined }, 4, 'waiting      #1 aaaaaaa'],
  ] as const;
  for (const [east, west, expected, words] of endings) {
    const cloud = waitingCloud();
    cloud.east.script(eastId, east);
    cloud.west.script(westId, west as never);
    const { exitCode, stdout } = await runCli(['approve'], { cloud });
    expect(stdout).toContain(`us-west-2  ${words}`);
    expect(exitCode).toBe(expected);
  }
});

test('an id, or its beginning, names the execution in whichever region it runs', async () => {
  const cloud = waitingCloud();
  cloud.west.held = [executionOf({ letter: 'f', region: 'us-west-2' })];
  cloud.west.script(cloud.west.held[0]!.id, () => succeeded(cloud.west.held[0]!), {});
  const { exitCode } = await runCli(['approve', 'ffff', '--no-wait'], { cloud });
  expect(cloud.east.calls).toEqual([]);
  expect(cloud.west.calls).toHaveLength(1);
  expect(exitCode).toBe(0);
});

test('an id that no region knows, or that several know, is refused', async () => {
  const cloud = waitingCloud();
  expect(await runCli(['approve', '9999'], { cloud })).toMatchObject({
    exitCode: 1,
    stderr:
      'error[EXECUTION_UNKNOWN]: no execution in us-east-1 or us-west-2 has an id that begins with 9999; `tandem executions` lists them\n',
  });
  const ambiguous = await runCli(['approve', 'aaaa'], { cloud });
  expect(ambiguous.stderr).toMatch(
    /^error\[EXECUTION_AMBIGUOUS\]: aaaa may mean .* \(us-east-1\), .* \(us-west-2\)/,
  );
});

test('an id that may be in a region that does not answer is unknown, not absent', async () => {
  const cloud = waitingCloud();
  cloud.west.isUnreachable = true;
  const { exitCode, stderr } = await runCli(['approve', '9999'], { cloud });
  expect(stderr).toMatch(/^error\[REGION_UNREACHABLE\]/);
  expect(exitCode).toBe(6);
});

test('approve with nothing waiting says what there is instead', async () => {
  const cloud = cloudDouble();
  cloud.east.held = [succeeded(executionOf())];
  const { exitCode, stderr } = await runCli(['approve'], { cloud });
  expect(stderr).toBe(
    'error[EXECUTION_NOT_FOUND]: no execution waits for approval; the newest in us-east-1 (aaaaaaaa) has succeeded\n',
  );
  expect(exitCode).toBe(1);
});

test('a region process that is just being started again is not left out', async () => {
  const cloud = waitingCloud();
  cloud.west.refusals = 1;
  const { exitCode } = await runCli(['reject'], { cloud });
  expect(cloud.west.calls).toHaveLength(1);
  expect(exitCode).toBe(0);
});

test('a region that is down does not keep the other from going on, but nobody is told that all is done', async () => {
  const cloud = waitingCloud();
  cloud.west.isUnreachable = true;
  cloud.east.script(eastId, () => succeeded(cloud.east.held[0]!));
  const { exitCode, stdout, stderr } = await runCli(['approve'], { cloud });
  expect(stdout).toBe('us-east-1  succeeded    #1 aaaaaaa Change a, in 42 s\n');
  expect(stderr).toContain('error[REGION_UNREACHABLE]: us-west-2: us-west-2 does not answer\n');
  expect(exitCode).toBe(6);
});

test('contact lost in the middle, and not back in time: unknown, and how to find out', async () => {
  const cloud = waitingCloud();
  cloud.west.held = [];
  cloud.east.script(eastId, () => {
    cloud.east.cutStreams();
    return {};
  });
  const { exitCode, stdout, stderr } = await runCli(['approve'], { cloud });
  expect(stdout).toBe('us-east-1  unknown      #1 aaaaaaa Change a\n');
  expect(stderr).toContain('no answer from the region; trying again');
  expect(stderr).toContain(`us-east-1: to find out how it ends: tandem executions ${eastId}\n`);
  expect(exitCode).toBe(6);
});

test('a region process that comes back in time is nothing to worry about', async () => {
  const cloud = waitingCloud();
  cloud.west.held = [];
  cloud.east.script(
    eastId,
    () => {
      cloud.east.refusals = 2;
      return {};
    },
    () => succeeded(cloud.east.held[0]!),
  );
  const { exitCode, stdout } = await runCli(['approve'], { cloud });
  expect(stdout).toContain('succeeded');
  expect(exitCode).toBe(0);
});

test('Ctrl-C ends the watching, not the execution', async () => {
  const cloud = waitingCloud();
  cloud.west.held = [];
  const { exitCode, stderr } = await runCli(['approve'], {
    cloud,
    onInterrupt: listener => {
      queueMicrotask(listener);
      return () => undefined;
    },
  });
  expect(stderr).toContain('error[INTERRUPTED]: us-east-1: you ended the watching');
  expect(stderr).toContain(`to find out how it ends: tandem executions ${eastId}`);
  expect(exitCode).toBe(6);
});

test('--json prints one document: region, status and execution', async () => {
  const cloud = waitingCloud();
  cloud.east.script(eastId, () => succeeded(cloud.east.held[0]!));
  cloud.west.script(westId, { status: 'RolledBack', cause: CAUSE });
  const { stdout } = await runCli(['approve', '--json'], { cloud });
  expect(JSON.parse(stdout)).toMatchObject({
    executions: [
      { region: 'us-east-1', status: 'Succeeded', execution: { id: eastId } },
      { region: 'us-west-2', status: 'RolledBack', execution: { cause: CAUSE } },
    ],
  });
});

test('reject records the decision with its comment', async () => {
  const cloud = waitingCloud();
  const { exitCode, stdout } = await runCli(['reject', '--region', 'us-west-2', '--comment', 'no'], {
    cloud,
  });
  expect(cloud.east.calls).toEqual([]);
  expect(cloud.west.calls).toEqual([`Rejected ${westId} by ada: no`]);
  expect(stdout).toBe('us-west-2  failed  #1 aaaaaaa Change a\n');
  expect(exitCode).toBe(0);
});

test('retry takes the newest execution of each region where it failed', async () => {
  const cloud = waitingCloud();
  hold(cloud.east, executionOf({ status: 'Failed' }));
  hold(cloud.west, succeeded(executionOf({ region: 'us-west-2' })));
  cloud.east.script(eastId, () => succeeded(cloud.east.held[0]!));
  const { exitCode } = await runCli(['retry'], { cloud });
  expect(cloud.east.calls).toEqual([`retry ${eastId} by ada`]);
  expect(cloud.west.calls).toEqual([]);
  expect(exitCode).toBe(0);
});

test('stop ends what is under way; stopped is then what was wanted', async () => {
  const cloud = waitingCloud();
  cloud.east.script(eastId, { status: 'Stopped', cause: 'stopped by ada' });
  cloud.west.script(westId, { status: 'Stopped', cause: 'stopped by ada' });
  const { exitCode, stdout } = await runCli(['stop', '--abandon'], { cloud });
  expect(cloud.east.calls).toEqual([`stop ${eastId} by ada, abandoning`]);
  expect(linesOf(stdout)[0]).toBe('us-east-1  stopped      #1 aaaaaaa Change a: stopped by ada');
  expect(exitCode).toBe(0);
});

test('stop tells how to end at once what has to be finished first, and only then', async () => {
  const cloud = waitingCloud();
  hold(
    cloud.east,
    executionOf({ status: 'InProgress', stages: stagesAt('Build', 'InProgress'), stage: 'Build' }),
  );
  cloud.east.script(eastId, { status: 'Stopping' });
  cloud.west.script(westId, { status: 'Stopped' });
  const advice = `us-east-1  what runs in Build is finished first; to end it at once: tandem stop ${eastId.slice(0, 8)} --abandon\n`;
  const patient = await runCli(['stop', '--no-wait'], { cloud });
  expect(patient.stderr).toContain(advice);
  expect(patient.stderr.match(/--abandon/g)).toHaveLength(1);
  expect((await runCli(['stop', '--no-wait', '--abandon'], { cloud })).stderr).not.toContain('--abandon');
});

const eastId = executionOf().id;
const westId = eastId.replace(/1$/, '2');

/** The same commit waits for approval in both regions. */
function waitingCloud(): CloudDouble {
  const cloud = cloudDouble();
  hold(cloud.east, executionOf());
  hold(cloud.west, executionOf({ id: westId, region: 'us-west-2' }));
  return cloud;
}

function hold(region: RegionDouble, ...executions: ReturnType<typeof executionOf>[]): void {
  region.held = executions;
}
