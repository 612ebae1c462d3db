import { dirname, join } from 'node:path';
import { TandemError } from '../../../core/error.ts';
import type {
  InfrastructureStack,
  Interruption,
  PlanMode,
  ResourceValues,
  StackOperation,
  StackPlan,
  StackProgress,
} from '../../../model/infrastructure.ts';
import type { Clock } from '../../../platform/clock.ts';
import { copyFile, mkdir, pathExists, rm, writeFileDurably } from '../../../platform/files.ts';
import { runCommand } from '../../../platform/process.ts';
import type { PluginCache } from './plugin-cache.ts';
import { readSavedPlan, readState } from './saved-plan.ts';
import { failureOf } from './terraform-failure.ts';
import type { TerraformProgram } from './terraform-program.ts';
import { runTerraform, type TerraformRun } from './terraform-run.ts';

export interface WorkspaceOptions {
  program: TerraformProgram;
  /** All stacks' folders are in it. */
  root: string;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  pluginCache: PluginCache;
  interruption?: Interruption;
  onProgress(stack: InfrastructureStack, progress: StackProgress): void;
}

const MODE_FLAGS: Readonly<Record<PlanMode, readonly string[]>> = {
  normal: [],
  destroy: ['-destroy'],
};

const PLAN = 'tandem.tfplan';
const LOCK_FILE = '.terraform.lock.hcl';
/** Where Terraform leaves a state that it could not store: the only record of what it made. */
const UNSAVED_STATE = 'errored.tfstate';

/**
 * One stack's folder, and Terraform in it. It is an ordinary root module: whoever wants to can run Terraform there by
 * hand. Every operation throws what `failureOf` makes of a failure, and OPERATION_INTERRUPTED where a person stopped it.
 */
export class StackWorkspace {
  readonly stack: InfrastructureStack;
  readonly folder: string;
  readonly #options: WorkspaceOptions;

  constructor(stack: InfrastructureStack, options: WorkspaceOptions) {
    this.stack = stack;
    this.folder = join(options.root, stack.name);
    this.#options = options;
  }

  /** Writes the root module and makes it ready to work with. Throws STATE_UNSAVED before anything else. */
  async initialise(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.#requireSavedState();
    writeFileDurably(
      join(this.folder, 'main.tf.json'),
      `${JSON.stringify(this.stack.document, undefined, 2)}\n`,
    );
    for (const { path, content } of this.stack.files ?? []) {
      const target = join(this.folder, ...path.split('/'));
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      writeFileDurably(target, content);
    }
    const run = await this.#init();
    if (run.exitCode !== 0) throw this.#failure('init', run);
  }

  /** Plans, and keeps the plan for `apply`. With targets only those, and what they stand on. */
  async plan(mode: PlanMode = 'normal', targets: readonly string[] = []): Promise<StackPlan> {
    const flags = [...MODE_FLAGS[mode], ...targets.map(address => `-target=${address}`)];
    const run = await this.#run('plan', ['plan', ...flags, `-out=${PLAN}`]);
    if (run.exitCode !== 0) throw this.#failure('plan', run);
    return readSavedPlan(await this.#print('show', '-json', PLAN), this.stack);
  }

  /** Applies exactly what the last `plan` has shown. Throws PLAN_STALE where the state has changed since. */
  async apply(operation: 'apply' | 'destroy' = 'apply'): Promise<void> {
    const run = await this.#run(operation, ['apply', PLAN]);
    await this.#requireSavedState();
    if (run.exitCode !== 0) throw this.#failure(operation, run);
  }

  async resources(): Promise<ResourceValues[]> {
    return readState(await this.#print('show', '-json'));
  }

  /** What the stack tells of itself, secrets left out. */
  async outputs(): Promise<Record<string, unknown>> {
    const printed = JSON.parse(await this.#print('output', '-json')) as Record<
      string,
      { sensitive: boolean; value: unknown }
    >;
    const shown = Object.entries(printed).filter(([, { sensitive }]) => !sensitive);
    return Object.fromEntries(shown.map(([name, { value }]) => [name, value]));
  }

  /** A plan holds every value in the clear: it stays no longer than it is needed. */
  async discardPlan(): Promise<void> {
    await rm(join(this.folder, PLAN), { force: true });
  }

  /** Only an init that finds its providers in place writes nothing to the cache that stacks share. */
  async #init(): Promise<TerraformRun> {
    if (!(await pathExists(join(this.folder, '.terraform', 'providers')))) return this.#initAlone([]);
    const run = await this.#run('init', ['init']);
    const isOutdated = run.diagnostics.some(({ detail }) =>
      /locked provider .* does not match/s.test(detail),
    );
    return isOutdated ? this.#initAlone(['-upgrade']) : run;
  }

  /**
   * All stacks of an application share one lock file: they work with the same version of a provider, and none
   * downloads it again just to learn its checksum.
   */
  #initAlone(flags: readonly string[]): Promise<TerraformRun> {
    return this.#options.pluginCache.alone(async () => {
      const shared = join(this.#options.root, LOCK_FILE);
      const own = join(this.folder, LOCK_FILE);
      if (!(await pathExists(own)) && (await pathExists(shared))) await copyFile(shared, own);
      const run = await this.#run('init', ['init', ...flags]);
      if (run.exitCode === 0 && (await pathExists(own))) await copyFile(own, shared);
      return run;
    });
  }

  async #run(operation: StackOperation, [command, ...rest]: readonly string[]): Promise<TerraformRun> {
    const { program, clock, interruption, onProgress } = this.#options;
    if (interruption?.stop.aborted) throw interruptedBefore(this.stack, operation);
    const tell = (progress: StackProgress) => onProgress(this.stack, progress);
    tell({ kind: 'operation', operation, state: 'started' });
    const run = await runTerraform([command!, '-json', '-input=false', ...rest], {
      program,
      folder: this.folder,
      environment: this.#environment(),
      logPath: this.#logPath(operation),
      clock,
      ...(interruption !== undefined && { interruption }),
      onEvent(event) {
        if (event.kind !== 'outputs') tell(event);
      },
    });
    tell({ kind: 'operation', operation, state: 'ended' });
    return run;
  }

  /** A question to Terraform that changes nothing and is answered at once. */
  async #print(...argv: string[]): Promise<string> {
    const { program } = this.#options;
    const { exitCode, stdout, stderr } = await runCommand(program.path, argv, {
      cwd: this.folder,
      env: this.#environment(),
    });
    if (exitCode === 0) return stdout;
    const text = stderr.split('\n').filter(line => line.trim() !== '');
    throw this.#failure('plan', { exitCode, diagnostics: [], text, wasInterrupted: false });
  }

  #environment(): Record<string, string | undefined> {
    const { environment, pluginCache } = this.#options;
    return {
      ...environment,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      TF_PLUGIN_CACHE_DIR: pluginCache.folder,
      // Either would lead all stacks to the same place.
      TF_DATA_DIR: undefined,
      TF_WORKSPACE: undefined,
    };
  }

  #logPath(operation: StackOperation): string {
    return join(this.folder, `${operation}.log`);
  }

  #failure(operation: StackOperation, run: TerraformRun): TandemError {
    return failureOf({
      stack: this.stack.name,
      operation,
      run,
      folder: this.folder,
      logPath: this.#logPath(operation),
      programName: this.#options.program.name,
    });
  }

  async #requireSavedState(): Promise<void> {
    const path = join(this.folder, UNSAVED_STATE);
    if (!(await pathExists(path))) return;
    const command = `${this.#options.program.name} -chdir=${this.folder}`;
    throw new TandemError(
      'STATE_UNSAVED',
      `${this.stack.name}: Terraform could not store its state, and left it in ${path}, which is the only record of what ` +
        `it made. Store it: ${command} state push ${UNSAVED_STATE} && rm ${path}`,
      { kind: 'system', data: { stack: this.stack.name, path } },
    );
  }
}

function interruptedBefore({ name }: InfrastructureStack, operation: StackOperation): TandemError {
  return new TandemError('OPERATION_INTERRUPTED', `${name}: ${operation} was not begun`, {
    data: { stack: name, operation },
  });
}
