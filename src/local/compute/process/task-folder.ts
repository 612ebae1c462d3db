import { join } from 'node:path';
import { readFileSync, readTextIfExists, writeFileDurably, writeFileSync } from '../../../platform/files.ts';
import { parseProcessIdentity } from '../../../platform/process.ts';
import type { LaunchPlan } from './launch-plan.ts';

/** Who is who of a running task: `<pid>:<start time>` each. */
export interface TaskProcesses {
  supervisor: string;
  main: string;
}

/** What is on disk of one task; everything that a restarted region process needs to know. */
export class TaskFolder {
  readonly path: string;
  /** The image's files, the task's own copy. */
  readonly root: string;
  readonly output: string;
  readonly outputPosition: string;

  constructor(path: string) {
    this.path = path;
    this.root = join(path, 'root');
    this.output = join(path, 'output.log');
    this.outputPosition = join(path, 'output.position');
  }

  /** Written before anything is started. */
  writePlan(plan: LaunchPlan): void {
    writeFileDurably(join(this.path, 'plan.json'), JSON.stringify(plan));
  }

  async readPlan(): Promise<LaunchPlan | undefined> {
    const text = await readTextIfExists(join(this.path, 'plan.json'));
    return text === undefined ? undefined : (JSON.parse(text) as LaunchPlan);
  }

  /** Written by the supervisor as soon as the task has a process. */
  readProcesses(): TaskProcesses | undefined {
    const [supervisor, main, end] = this.#read('processes')?.split('\n') ?? [];
    if (!supervisor || !main || end !== '') return undefined;
    return { supervisor: parseProcessIdentity(supervisor), main: parseProcessIdentity(main) };
  }

  /** Written by the supervisor when the task has ended. Power loss may leave it empty: nobody knows the code then. */
  readExitCode(): number | undefined {
    const text = this.#read('exit');
    return text?.endsWith('\n') ? Number(text) : undefined;
  }

  /** Outlives a crash between this note and the kill that follows it. */
  noteOutOfMemory(): void {
    writeFileSync(join(this.path, 'out-of-memory'), '');
  }

  wasOutOfMemory(): boolean {
    return this.#read('out-of-memory') !== undefined;
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return undefined;
    }
  }
}
