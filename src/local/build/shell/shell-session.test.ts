import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processIdentity } from '../../../platform/process.ts';
import { endMarkedProcesses } from '../../../platform/process-sweep.ts';
import { openOutputChannel, type OutputChannel } from './output-channel.ts';
import { ShellSession } from './shell-session.ts';

const mark = { name: 'TANDEM_BUILD', value: `test-${process.pid}` };
const MARK = `${mark.name}=${mark.value}`;

let folder: string;
let lines: string[];
let leaders: string[];
let output: OutputChannel;
let aborter: AbortController;

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'shell-')));
  mkdirSync(join(folder, 'control'));
  mkdirSync(join(folder, 'source'));
  lines = [];
  leaders = [];
  aborter = new AbortController();
  output = await openOutputChannel(join(folder, 'output'), line => lines.push(line));
});

afterEach(async () => {
  expect(await endMarkedProcesses({ variable: MARK, leaders })).toEqual([]);
  output.close();
  rmSync(folder, { recursive: true });
});

describe.each([
  { name: 'sh', program: '/bin/sh', isBash: false },
  { name: 'bash', program: '/bin/bash', isBash: true },
])('in $name', shell => {
  function session(environment: Record<string, string> = {}): ShellSession {
    return new ShellSession({
      ...shell,
      folder: join(folder, 'control'),
      workspace: join(folder, 'source'),
      environment: { PATH: process.env['PATH']!, [mark.name]: mark.value, ...environment },
      mark,
      output,
      onStart: identity => leaders.push(identity),
    });
  }

  async function runAll(commands: string[], environment: Record<string, string> = {}): Promise<number[]> {
    const running = session(environment);
    const statuses: number[] = [];
    for (const command of commands) statuses.push((await running.run(command, aborter.signal)).exitStatus);
    await running.end(aborter.signal);
    return statuses;
  }

  test('folder, variables and functions stay from command to command', async () => {
    const statuses = await runAll([
      'mkdir inner && cd inner',
      'PLAIN=plain; export EXPORTED="two words"',
      'greet() { echo "hello $1"; }',
      'pwd; echo "$PLAIN"; sh -c \'echo "$EXPORTED:$PLAIN"\'; greet you',
    ]);
    expect(statuses).toEqual([0, 0, 0, 0]);
    expect(lines).toEqual([join(folder, 'source/inner'), 'plain', 'two words:', 'hello you']);
    expect(leaders).toHaveLength(1);
  });

  test('a command that exits fails alone; the next has its folder and exported variables', async () => {
    const statuses = await runAll(
      [
        'mkdir inner; export KEPT="it\'s\nkept" ; export GONE=1',
        'cd inner; unset GONE; export LATE=yes; exit 7',
        'pwd; echo "$KEPT"; echo "${GONE-gone} $LATE"',
      ],
      { GONE: 'from the start' },
    );
    expect(statuses).toEqual([0, 7, 0]);
    expect(lines).toEqual([join(folder, 'source/inner'), "it's", 'kept', 'gone yes']);
    expect(leaders).toHaveLength(2);
  });

  test('set -e, -u, -x and -C of a command work and do not disturb what runs it', async () => {
    const statuses = await runAll([
      'set -eu; set -C',
      'echo still here',
      'echo a > once; false; echo not reached',
      'set -x; echo traced',
      'echo again',
    ]);
    expect(statuses).toEqual([0, 0, 1, 0, 0]);
    const traceOfSourcing = /^\+ \. /;
    expect(lines.filter(line => !traceOfSourcing.test(line)).map(line => line.replace(/^\++/, '+'))).toEqual([
      'still here',
      '+ echo traced',
      'traced',
      '+ echo again',
      'again',
    ]);
  });

  test('a syntax error, a missing program and a shell that is killed are failures of their command', async () => {
    const statuses = await runAll(['if then fi', 'no-such-program', 'kill -9 $$', 'echo on']);
    expect(statuses[0]).toBeGreaterThan(0);
    expect(statuses.slice(1)).toEqual([127, 137, 0]);
    expect(lines.at(-1)).toBe('on');
  });

  test('an EXIT trap of the commands runs at the end, and exec replaces the shell', async () => {
    expect(await runAll(["trap 'echo cleaned up' EXIT", 'echo working'])).toEqual([0, 0]);
    expect(lines).toEqual(['working', 'cleaned up']);
    expect(await runAll(['exec sh -c "exit 3"', 'echo next'])).toEqual([3, 0]);
  });

  test('a command of several lines, with a here-document and quotes', async () => {
    expect(await runAll(['for n in 1 2\ndo\n  cat <<END\n"$n"\nEND\ndone\nreturn 4\n'])).toEqual([4]);
    expect(lines).toEqual(['"1"', '"2"']);
  });

  test('standard input is empty and there is no terminal; the control channel is not inherited', async () => {
    await runAll([
      'cat; [ -t 0 ] || echo no terminal; sh -c ": </dev/tty" 2>/dev/null || echo no tty',
      '( : <&7 ) 2>/dev/null || echo closed',
    ]);
    expect(lines).toEqual(['no terminal', 'no tty', 'closed']);
  });

  test('output to both streams, by name too, keeps its order', async () => {
    await runAll(['echo 1; echo 2 >&2; echo 3 | tee /dev/stderr; printf 4', 'echo 5']);
    expect(lines).toEqual(['1', '2', '3', '3', '4', '5']);
  });
});

test('bash keeps its functions even in a new shell', async () => {
  const running = new ShellSession({
    program: '/bin/bash',
    isBash: true,
    folder: join(folder, 'control'),
    workspace: join(folder, 'source'),
    environment: { PATH: process.env['PATH']!, [mark.name]: mark.value },
    mark,
    output,
    onStart: identity => leaders.push(identity),
  });
  await running.run('greet() { echo "hello $1"; }', aborter.signal);
  await running.run('exit 1', aborter.signal);
  await running.run('greet again', aborter.signal);
  await running.end(aborter.signal);
  expect(lines).toEqual(['hello again']);
});

test('an abort ends the command under way, and the sweep all that it left, wherever it went', async () => {
  const running = new ShellSession({
    program: '/bin/sh',
    isBash: false,
    folder: join(folder, 'control'),
    workspace: join(folder, 'source'),
    environment: { PATH: process.env['PATH']!, [mark.name]: mark.value },
    mark,
    output,
    onStart: identity => leaders.push(identity),
  });
  writeFileSync(
    join(folder, 'source/leave.sh'),
    `setsid sh -c 'echo $$ > escaped; sleep 1000' & env -i PATH="$PATH" sh -c 'echo $$ > bare; sleep 1000' &
     env -i PATH="$PATH" setsid --wait sh -c 'echo $$ > lost; sleep 1000' &
     while [ ! -s escaped ] || [ ! -s bare ] || [ ! -s lost ]; do sleep 0.01; done; echo ready; sleep 1000`,
  );
  const ready = new Promise<void>(resolve => {
    const push = lines.push.bind(lines);
    lines.push = (...more) => {
      resolve();
      return push(...more);
    };
  });
  const outcome = running.run('sh leave.sh', aborter.signal);
  await ready;
  aborter.abort();
  expect(await outcome).toEqual({ exitStatus: 137, signal: 'SIGKILL' });
  const left = ['escaped', 'bare', 'lost'].map(name =>
    Number(readFileSync(join(folder, 'source', name), 'utf8')),
  );
  expect(await endMarkedProcesses({ variable: MARK, leaders })).toEqual([]);
  expect(left.map(processIdentity)).toEqual([undefined, undefined, undefined]);
});

test('output without end is passed on in bounded memory, and the writer waits', async () => {
  let count = 0;
  const counting = await openOutputChannel(join(folder, 'counted'), line => {
    count += line.length + 1;
  });
  const running = new ShellSession({
    program: '/bin/sh',
    isBash: false,
    folder: join(folder, 'control'),
    workspace: join(folder, 'source'),
    environment: { PATH: process.env['PATH']!, [mark.name]: mark.value },
    mark,
    output: counting,
    onStart: identity => leaders.push(identity),
  });
  await running.run('yes 0123456789 | head -c 11000000', aborter.signal);
  await running.end(aborter.signal);
  counting.close();
  expect(count).toBe(11_000_000);
});
