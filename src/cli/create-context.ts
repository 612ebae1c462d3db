import picocolors from 'picocolors';
import { TandemError } from '../core/error.ts';
import type { RegionName } from '../model/names.ts';
import type { CommandContext, CommandPorts, Paint } from './context.ts';
import { defaultDataDir } from './reach.ts';

export interface ContextOptions {
  json: boolean;
  target: 'local' | 'aws';
  configPath: string;
  /** Default: `.tandem` beside the config file. */
  dataDir?: string | undefined;
  chosenRegions: readonly RegionName[];
}

/** The ports, and on top of them what every command needs of its own command line. */
export function createContext(ports: CommandPorts, options: ContextOptions): CommandContext {
  const { json, target, configPath, chosenRegions } = options;
  const dataDir = options.dataDir ?? defaultDataDir(configPath);
  return {
    ...ports,
    json,
    target,
    configPath,
    dataDir,
    chosenRegions,
    paint: paintFor(ports, ports.stdout),
    progressPaint: paintFor(ports, ports.stderr),
    print: (line = '') => ports.stdout.write(`${line}\n`),
    note: line => ports.stderr.write(`${line}\n`),
    printJson: value => ports.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    // Most commands ask the running cloud only, and are quicker without what reads a config file.
    config: async () => (await import('./load-config.ts')).loadConfig(configPath),
    async cloud() {
      if (target === 'aws') return (await import('./aws/application.ts')).openCloud(this);
      const cloud = await ports.local.attach(dataDir);
      if (cloud) return cloud;
      throw new TandemError(
        'LOCAL_CLOUD_STOPPED',
        `no local cloud runs on ${dataDir}: start it with \`tandem up\`, or name its folder with --config or --data-dir`,
        { data: { dataDir } },
      );
    },
  };
}

/** Colour only where somebody looks at a terminal and has not refused it (https://no-color.org). */
export function paintFor(ports: CommandPorts, stream: { isTerminal: boolean }): Paint {
  const isRefused = Boolean(ports.environment['NO_COLOR']) || ports.environment['TERM'] === 'dumb';
  return picocolors.createColors(stream.isTerminal && !isRefused);
}
