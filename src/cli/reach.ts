import { dirname, isAbsolute, join, relative } from 'node:path';
import type { Output } from '../platform/terminal.ts';
import { COMMAND_NAMES } from './commands/index.ts';
import { CONFIG_FILE_NAME } from './config-file-name.ts';
import { shellWord } from './text/shell-word.ts';

/** Which cloud a command line was about. */
export interface Reached {
  /** Absolute. */
  configPath: string;
  /** Absolute. */
  dataDir: string;
  /** Absolute. */
  workingFolder: string;
  target: 'local' | 'aws';
}

/** Where a local cloud keeps its data unless it is told otherwise. */
export function defaultDataDir(configPath: string): string {
  return join(dirname(configPath), '.tandem');
}

/** Commands that make something new where they stand: no cloud is to be reached. */
const REACHING_NONE: ReadonlySet<string> = new Set(['init']);

/** Those of the cloud on this machine. */
const LOCAL_ONLY: ReadonlySet<string> = new Set(['up', 'down']);

const COMMAND = new RegExp(
  `\\btandem (${COMMAND_NAMES.filter(name => !REACHING_NONE.has(name)).join('|')})\\b(?! --(?:config|data-dir))([^\`\n]*--target)?`,
  'g',
);

/**
 * The text with every `tandem <command>` in it completed, so that copied as it is it reaches the cloud that this
 * command line reached.
 *
 * @param from the folder in which it will be typed
 */
export function reaching(reached: Reached, text: string, from: string = reached.workingFolder): string {
  const { configPath, dataDir, target } = reached;
  const options = [
    ...(configPath === join(from, CONFIG_FILE_NAME) ? [] : ['--config', pathFrom(from, configPath)]),
    ...(dataDir === defaultDataDir(configPath) ? [] : ['--data-dir', pathFrom(from, dataDir)]),
  ];
  return text.replace(COMMAND, (_, name: string, rest = '') => {
    const isAws = target === 'aws' && rest === '' && !LOCAL_ONLY.has(name);
    return [`tandem ${name}`, ...(isAws ? ['--target aws'] : []), ...options].join(' ') + rest;
  });
}

/** An output on which every command that is told is complete. */
export function reachingOutput(reached: Reached, output: Output): Output {
  return {
    isTerminal: output.isTerminal,
    write: text => output.write(reaching(reached, text)),
  };
}

/** As short as it can be said without climbing up. */
function pathFrom(folder: string, path: string): string {
  const near = relative(folder, path);
  return shellWord(near === '' || near.startsWith('..') || isAbsolute(near) ? path : near);
}
