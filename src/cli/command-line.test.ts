import { describe, expect, test } from 'vitest';
import { loadCommands } from './commands/index.ts';
import { cloudDouble } from './testing/cloud-double.ts';
import { linesOf, runCli } from './testing/command-run.ts';

const commands = await loadCommands();

describe('help', () => {
  test.each(commands.map(({ name }) => name))('of %s has an example, and every common option', async name => {
    const { exitCode, stdout, stderr } = await runCli([name, '--help']);
    expect(stdout).toMatch(new RegExp(`\\nExamples?:\\n  \\$ tandem ${name}`));
    for (const option of ['--json', '--target <cloud>', '--config <file>', '--data-dir <folder>']) {
      expect(stdout).toContain(option);
    }
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test.each(commands.map(({ name, details }) => [name, details ?? '']))(
    'of %s is wrapped for the terminal, not by hand',
    (_name, details) => expect(details).not.toContain('\n'),
  );

  test.each([[['--help']], [['help']], [[]]])(
    'of everything (%j) lists every command and the exit codes',
    async argv => {
      const { exitCode, stdout } = await runCli(argv);
      for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(stdout).toContain('6 unknown (lost contact)');
      expect(exitCode).toBe(0);
    },
  );

  test('--version prints the version alone', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong use', () => {
  test.each([
    [['statsu'], "unknown command 'statsu'. Did you mean status?"],
    [['up', '--detatch'], "unknown option '--detatch'. Did you mean --detach?"],
    [['up', '--port-base', '70000'], 'Write a whole number from 0 to 65000.'],
    [['up', '--timing', 'slow'], 'Allowed choices are fast, aws.'],
    [['logs', 'prod'], 'Allowed choices are staging, production, build, balancer.'],
    [['approve', 'one', 'two'], 'too many arguments'],
  ])('%j is refused on one line with the way out, exit code 2', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(argv);
    const [first, second, ...rest] = linesOf(stderr);
    expect(first).toMatch(/^error\[USAGE\]: /);
    expect(first).toContain(message);
    expect(second).toMatch(/^`tandem .*--help`/);
    expect(rest).toEqual([]);
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });

  test('--target aws is refused where a command is for this machine only', async () => {
    const { exitCode, stderr } = await runCli(['up', '--target', 'aws']);
    expect(stderr).toMatch(/^error\[TARGET_UNSUPPORTED\]: tandem up .*is for this machine only/);
    expect(exitCode).toBe(2);
  });
});

describe('errors', () => {
  test('with --json are one document on standard output', async () => {
    for (const argv of [
      ['status', '--json'],
      ['statsu', '--json'],
      ['up', '--json'],
    ]) {
      const { stdout, stderr } = await runCli(argv);
      expect(JSON.parse(stdout)).toEqual({
        error: { code: expect.any(String), message: expect.any(String), data: expect.any(Object) },
      });
      expect(stderr).toBe('');
    }
  });

  test('say that no local cloud runs, where it was looked for, and what to do', async () => {
    const { exitCode, stderr } = await runCli(['status'], { workingFolder: '/srv/shop' });
    expect(stderr).toMatch(
      /^error\[LOCAL_CLOUD_STOPPED\]: no local cloud runs on \/srv\/shop\/\.tandem: .*tandem up/,
    );
    expect(exitCode).toBe(1);
  });

  test('that are bugs come with their stack', async () => {
    const cloud = cloudDouble();
    cloud.status = () => Promise.reject(new Error('a bug'));
    const { exitCode, stderr } = await runCli(['status'], { cloud });
    expect(stderr).toMatch(/^error\[INTERNAL\]: a bug\nError: a bug\n {4}at /);
    expect(exitCode).toBe(1);
  });
});
