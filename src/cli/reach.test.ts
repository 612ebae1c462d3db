import { expect, test } from 'vitest';
import { reaching, type Reached } from './reach.ts';
import { linesOf, runCli } from './testing/command-run.ts';

const here: Reached = {
  workingFolder: '/shop',
  configPath: '/shop/tandem.config.ts',
  dataDir: '/shop/.tandem',
  target: 'local',
};

test.each([
  ['nothing is added where nothing was said', {}, 'say `tandem status`', 'say `tandem status`'],
  [
    'the data folder is, as an absolute path where it lies elsewhere',
    { dataDir: '/data/one' },
    '`tandem up --port-base 9000`',
    '`tandem up --data-dir /data/one --port-base 9000`',
  ],
  [
    'every command of a line',
    { dataDir: '/shop/x y' },
    'tandem down, tandem up',
    "tandem down --data-dir 'x y', tandem up --data-dir 'x y'",
  ],
  [
    'the config file, whose folder has the data',
    { configPath: '/shop/api/tandem.config.ts', dataDir: '/shop/api/.tandem' },
    'tandem push',
    'tandem push --config api/tandem.config.ts',
  ],
  [
    'the target, where it is AWS',
    { target: 'aws' as const },
    '`tandem approve 1a2b`',
    '`tandem approve --target aws 1a2b`',
  ],
  [
    'but not where it is said already, nor for this machine’s own commands',
    { target: 'aws' as const },
    '`tandem plan --region us-east-1 --target aws`, `tandem up`',
    '`tandem plan --region us-east-1 --target aws`, `tandem up`',
  ],
  ['but nothing twice', { dataDir: '/d' }, 'tandem up --data-dir /d', 'tandem up --data-dir /d'],
  [
    'and no other words',
    { dataDir: '/d' },
    'git push tandem main; the Git remote tandem',
    'git push tandem main; the Git remote tandem',
  ],
])('%s', (_, reached, text, expected) => {
  expect(reaching({ ...here, ...reached }, text)).toBe(expected);
});

test('a refusal tells commands for the cloud that was asked for', async () => {
  const { stderr } = await runCli(['status', '--data-dir', '/data/one']);
  expect(stderr).toContain('start it with `tandem up --data-dir /data/one`');
  const json = await runCli(['status', '--data-dir', '/data/one', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    error: { message: expect.stringContaining('`tandem up --data-dir /data/one`') },
  });
});

test('so do next steps', async () => {
  const { stderr } = await runCli(['rollback', '--config', '/elsewhere/tandem.config.ts']);
  expect(linesOf(stderr)[0]).toContain('`tandem up --config /elsewhere/tandem.config.ts`');
});
