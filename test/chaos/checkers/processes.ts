import { daemonsUnder } from '../../../src/platform/process-table.ts';

/** Called when nothing may run any more. */
export function checkProcesses(dataDir: string): string[] {
  return daemonsUnder(dataDir).map(({ pid, title }) => `process ${pid} outlived tandem down: ${title}`);
}
