import type picocolors from 'picocolors';
import type { Cloud } from '../model/cloud.ts';
import type { Config } from '../model/config/schema.ts';
import type { RegionName } from '../model/names.ts';
import type { Clock } from '../platform/clock.ts';
import type { Output } from '../platform/terminal.ts';
import type { AwsOperations } from './aws-operations.ts';
import type { CostPort } from './cost-port.ts';
import type { Doctor } from './doctor-port.ts';
import type { Git } from './git.ts';
import type { LocalLifecycle } from '../model/local-lifecycle.ts';
import type { Synthesize } from './synthesize.ts';

/** Everything that the command line touches outside itself; tests hand in their own. */
export interface CommandPorts {
  stdout: Output;
  stderr: Output;
  /** Whether there is somebody to ask. */
  inputIsTerminal: boolean;
  /** Asks for one line; the end of input answers with nothing. */
  ask(question: string): Promise<string>;
  /** Calls back at each Ctrl-C or SIGTERM until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  /** Absolute. */
  workingFolder: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Who is at the keyboard: stored with approvals and rollbacks. */
  user: string;
  clock: Clock;
  git: Git;
  local: LocalLifecycle;
  synthesize: Synthesize;
  cost: CostPort;
  doctor: Doctor;
  /** The environment on AWS that a configuration describes, as an SVG document. */
  drawDiagram(config: Config): Promise<string>;
  aws: AwsOperations;
  /** Where Tandem itself lies: its version and its example application. */
  packageFolder: string;
}

/** Colours of one stream: all of them leave the text as it is where there is no terminal or NO_COLOR is set. */
export type Paint = ReturnType<typeof picocolors.createColors>;

/** What a command's handler is given. */
export interface CommandContext extends CommandPorts {
  /** Results as JSON on standard output. */
  json: boolean;
  /** `--target`: which cloud the command is about. */
  target: 'local' | 'aws';
  /** Absolute path of the config file, which need not exist. */
  configPath: string;
  /** Absolute path of the data folder, which need not exist. */
  dataDir: string;
  /** `--region`, checked against the cloud's regions when it is asked; empty: all. */
  chosenRegions: readonly RegionName[];
  /** For results on standard output. */
  paint: Paint;
  /** For progress on standard error. */
  progressPaint: Paint;
  /** One line of a result. */
  print(line?: string): void;
  /** One line of progress, or a remark. */
  note(line: string): void;
  printJson(value: unknown): void;
  /** The valid configuration. Throws CONFIG_MISSING or CONFIG_INVALID. */
  config(): Promise<Config>;
  /**
   * The cloud that `--target` names, as it runs. Throws LOCAL_CLOUD_STOPPED where none runs here; of AWS whatever
   * `identify` throws, and ACCOUNT_MISMATCH.
   */
  cloud(): Promise<Cloud>;
}
