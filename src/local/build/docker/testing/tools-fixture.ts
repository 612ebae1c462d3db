import { dirname, join } from 'node:path';
import { removeTree } from '../../../../platform/file-tree.ts';
import { mkdirSync, mkdtempSync, tmpdir, writeFileSync } from '../../../../platform/files.ts';
import {
  environment,
  runCommand,
  spawn,
  type ChildProcess,
  type CommandResult,
} from '../../../../platform/process.ts';
import type { ImageTools } from '../../contract.ts';
import { prepareImageTools } from '../prepare-image-tools.ts';

/** The commands as a build finds them on PATH, run as true processes in a folder of their own. */
export class ToolsFixture {
  readonly folder: string;
  readonly contextFolder: string;
  readonly #tools: ImageTools;

  private constructor(tools: ImageTools, folder: string) {
    this.#tools = tools;
    this.folder = folder;
    this.contextFolder = join(folder, 'context');
    mkdirSync(this.contextFolder, { recursive: true });
  }

  static async start(registryHost: string): Promise<ToolsFixture> {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-tools-'));
    const tools = await prepareImageTools({
      folder: join(folder, 'build'),
      cacheFolder: join(folder, 'cache'),
      registryHost,
      region: 'us-east-1',
    });
    return new ToolsFixture(tools, folder);
  }

  write(path: string, text: string): void {
    const place = join(this.contextFolder, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }

  /** A shell command line, as a buildspec has it, in the context folder. */
  run(command: string, options: { input?: string } = {}): Promise<CommandResult> {
    return runCommand('/bin/sh', ['-c', command], {
      cwd: this.contextFolder,
      env: this.#allEnvironment(),
      ...options,
    });
  }

  /** The same, left running. */
  start(command: string): ChildProcess {
    return spawn('/bin/sh', ['-c', `exec ${command}`], {
      cwd: this.contextFolder,
      env: this.#allEnvironment(),
      stdio: 'ignore',
    });
  }

  remove(): Promise<void> {
    return removeTree(this.folder);
  }

  #allEnvironment(): NodeJS.ProcessEnv {
    return {
      ...environment,
      ...this.#tools.environment,
      PATH: `${this.#tools.binFolder}:${environment['PATH']}`,
    };
  }
}
