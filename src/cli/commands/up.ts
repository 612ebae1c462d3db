import { rehearsedOtherwise } from '../../model/config/rehearsal.ts';
import type { Config } from '../../model/config/schema.ts';
import type { TimingProfile } from '../../model/timing.ts';
import { bringUp, reportUp, stayInForeground, stopOnInterrupt } from '../bring-up.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { createContext } from '../create-context.ts';
import { worst, type ExitCode } from '../exit-code.ts';
import { prepareExample, pushExample } from '../example.ts';
import { loadConfig } from '../load-config.ts';
import type { RunningCloud } from '../../model/local-lifecycle.ts';
import { wholeNumber } from '../option-values.ts';

interface Options {
  detach: boolean;
  portBase?: number;
  timing: TimingProfile;
  example: boolean;
}

export const up = defineCommand<Options>({
  name: 'up',
  summary: 'Run the local cloud: every region of the application, on this machine',
  details:
    'Stays in the foreground and shows what happens, until Ctrl-C stops it. What it has stored stays in the data ' +
    'folder, and the next `up` carries on from there. After a change of tandem.config.ts, or with another version of ' +
    'Tandem, `up` takes a running cloud over: control processes are replaced, and no request is lost.',
  examples: ['tandem up', 'tandem up --detach', 'tandem up --port-base 0', 'tandem up --example'],
  options: [
    { flags: '-d, --detach', description: 'return when every region is up', default: false },
    {
      flags: '--port-base <number>',
      description: 'first port of each region; 0 takes any free ones (default: where it was, or 8000)',
      parse: wholeNumber(0, 65_000),
    },
    {
      flags: '--timing <profile>',
      description: 'fast: health checks and bake times of a development machine; aws: as configured',
      choices: ['fast', 'aws'],
      default: 'fast',
    },
    {
      flags: '--example',
      description: 'make an example application in ./tandem-example, run it and push it',
      default: false,
    },
  ],
  takesRegion: false,
  run: (context, options) => (options.example ? upWithExample(context, options) : upHere(context, options)),
});

async function upHere(context: CommandContext, options: Options): Promise<ExitCode> {
  return run(context, await context.config(), options);
}

async function upWithExample(here: CommandContext, options: Options): Promise<ExitCode> {
  const configPath = await prepareExample(here);
  const config = await loadConfig(configPath);
  const isDefaultDataDir = here.dataDir === createContext(here, { ...here, dataDir: undefined }).dataDir;
  const context = createContext(here, {
    ...here,
    configPath,
    dataDir: isDefaultDataDir ? undefined : here.dataDir,
  });
  return run(context, config, options, running => pushExample(context, running.cloud));
}

async function run(
  context: CommandContext,
  config: Config,
  options: Options,
  then?: (running: RunningCloud) => Promise<ExitCode>,
): Promise<ExitCode> {
  const running = await bringUp(context, config, options);
  if (options.detach) return introduce(context, config, running, then);
  // From here on Ctrl-C stops the cloud, also while the example is still on its way.
  const interrupts = stopOnInterrupt(context, running);
  try {
    await introduce(context, config, running, then);
    return await stayInForeground(context, running, interrupts);
  } finally {
    interrupts.release();
  }
}

/** Says where everything is, then does what is to be done with the running cloud. */
async function introduce(
  context: CommandContext,
  config: Config,
  running: RunningCloud,
  then?: (running: RunningCloud) => Promise<ExitCode>,
): Promise<ExitCode> {
  const exitCode = await reportUp(context, running, {
    branch: config.pipeline.branch,
    hasMore: then !== undefined,
  });
  for (const difference of rehearsedOtherwise(config)) context.note(`note: ${difference}`);
  return then ? worst([exitCode, await then(running)]) : exitCode;
}
