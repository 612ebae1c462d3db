import { join } from 'node:path';
import { assert } from '../../core/assert.ts';
import { TandemError } from '../../core/error.ts';
import type {
  InfrastructureStack,
  Interruption,
  PlanMode,
  ResourceValues,
  StackOutcome,
  StackPlan,
  StackProgress,
  WorkFolder,
} from '../../model/infrastructure.ts';
import type { Clock } from '../../platform/clock.ts';
import { openLock } from '../../platform/database.ts';
import { mkdir } from '../../platform/files.ts';
import { deferredPlan, isAsShown } from './deferred-plan.ts';
import { PluginCache } from './terraform/plugin-cache.ts';
import { forEachStack } from './terraform/stack-order.ts';
import { StackWorkspace, type WorkspaceOptions } from './terraform/stack-workspace.ts';
import { findTerraform } from './terraform/terraform-program.ts';

export interface WorkFolderOptions {
  /** Stacks get a folder each in it. */
  root: string;
  /** `terraform`, `tofu`, or a path; absent: what TANDEM_TERRAFORM says, or whichever is there. */
  program?: string;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  interruption?: Interruption;
  onProgress(stack: InfrastructureStack, progress: StackProgress): void;
}

/** Throws TERRAFORM_MISSING, TERRAFORM_TOO_OLD, or WORK_FOLDER_BUSY where another process works with these stacks. */
export async function openWorkFolder(options: WorkFolderOptions): Promise<WorkFolder> {
  const { root, environment, clock } = options;
  const program = await findTerraform(options.program ?? environment['TANDEM_TERRAFORM']);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const lock = openLock(join(root, '.lock'));
  if (lock === undefined) {
    throw new TandemError(
      'WORK_FOLDER_BUSY',
      `another tandem works in ${root}: wait for it to end, or end it with one Ctrl-C`,
      { data: { root } },
    );
  }
  return new TerraformWorkFolder(
    { ...options, program, pluginCache: new PluginCache(environment, clock) },
    lock,
  );
}

interface Planned {
  workspace: StackWorkspace;
  plan: StackPlan;
}

class TerraformWorkFolder implements WorkFolder {
  readonly program: { name: string; version: string };
  readonly #options: WorkspaceOptions;
  readonly #lock: { release(): void };
  readonly #planned = new Map<string, Planned>();

  constructor(options: WorkspaceOptions, lock: { release(): void }) {
    this.program = options.program;
    this.#options = options;
    this.#lock = lock;
  }

  folderOf({ name }: InfrastructureStack): string {
    return join(this.#options.root, name);
  }

  async plan(stacks: readonly InfrastructureStack[], mode: PlanMode): Promise<StackOutcome<StackPlan>[]> {
    const ready = new Map(stacks.map(stack => [stack.name, this.#initialised(stack)]));
    // Deletion looks nothing up: all stacks at once.
    return forEachStack(stacks, mode === 'destroy' ? 'any' : 'forward', async stack => {
      const workspace = await ready.get(stack.name)!;
      const plan = await this.#planOf(workspace, mode);
      this.#planned.set(stack.name, { workspace, plan });
      return plan;
    });
  }

  apply(
    stacks: readonly InfrastructureStack[],
    operation: 'apply' | 'destroy',
  ): Promise<StackOutcome<Record<string, unknown>>[]> {
    return forEachStack(stacks, operation === 'apply' ? 'forward' : 'backward', async stack => {
      const planned = this.#planned.get(stack.name);
      assert(planned !== undefined, `${stack.name} was not planned`);
      const { workspace } = planned;
      const plan =
        operation === 'apply' ? await this.#renewed(stack, planned) : await this.#unprotected(stack, planned);
      if (plan.isApplicable) await workspace.apply(operation);
      return operation === 'apply' ? workspace.outputs() : {};
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#planned.values()].map(({ workspace }) => workspace.discardPlan()));
    this.#lock.release();
  }

  #initialised(stack: InfrastructureStack): Promise<StackWorkspace> {
    const workspace = new StackWorkspace(stack, this.#options);
    const ready = workspace.initialise().then(() => workspace);
    // It is awaited when its turn comes; until then a failure is nobody's.
    ready.catch(() => undefined);
    return ready;
  }

  async #planOf(workspace: StackWorkspace, mode: PlanMode): Promise<StackPlan> {
    if (mode === 'destroy') return workspace.plan(mode);
    const { stack } = workspace;
    const foundations = this.#foundationsOf(stack);
    if (foundations.some(({ existing, isDeferred }) => isDeferred || existing.length === 0)) {
      return deferredPlan(stack, await workspace.resources());
    }
    try {
      return await workspace.plan(mode);
    } catch (error) {
      const isExpected = error instanceof TandemError && error.code === 'TERRAFORM_FAILED';
      // A first deployment that was broken off: something that it looks up is not there yet, but will be.
      if (
        isExpected &&
        foundations.some(({ changes }) => changes.some(({ action }) => action === 'create'))
      ) {
        return deferredPlan(stack, await workspace.resources());
      }
      throw error;
    }
  }

  /** What was planned before its foundations changed may be out of date: it is planned again, and must be what was shown. */
  async #renewed(stack: InfrastructureStack, { workspace, plan: shown }: Planned): Promise<StackPlan> {
    const isCurrent = !this.#foundationsOf(stack).some(({ isApplicable }) => isApplicable);
    if (isCurrent && !shown.isDeferred) return shown;
    const plan = await workspace.plan();
    if (isAsShown(plan, shown)) return plan;
    throw planChanged(stack);
  }

  /**
   * What is protected from deletion loses that first, by applying the stack's document, in which nothing is protected, to
   * those resources alone. Then the deletion is planned anew, for the state has changed.
   */
  async #unprotected(stack: InfrastructureStack, { workspace, plan: shown }: Planned): Promise<StackPlan> {
    const targets = shown.existing.filter(isProtected).map(({ address }) => address);
    if (targets.length === 0) return shown;
    const lifting = await workspace.plan('normal', targets);
    const other = lifting.changes.find(({ action }) => action !== 'update');
    if (other !== undefined) {
      throw new TandemError(
        'PROTECTION_NOT_LIFTED',
        `${stack.name}: ${targets.join(', ')} cannot lose the protection from deletion without Terraform wanting to ` +
          `${other.action} ${other.address} too: switch it off in the console, then run the command again`,
        { data: { stack: stack.name, targets } },
      );
    }
    if (lifting.isApplicable) await workspace.apply('destroy');
    const plan = await workspace.plan('destroy');
    if (isAsShown(plan, shown)) return plan;
    throw planChanged(stack);
  }

  #foundationsOf({ after = [] }: InfrastructureStack): StackPlan[] {
    return after.flatMap(name => this.#planned.get(name)?.plan ?? []);
  }
}

/** Attributes by which AWS, or the provider, refuses to delete something; with the value that does. */
const PROTECTIONS: Readonly<Record<string, boolean>> = {
  deletion_protection: true,
  deletion_protection_enabled: true,
  enable_deletion_protection: true,
  // A last snapshot would be left behind, and needs a name that is free.
  skip_final_snapshot: false,
};

function isProtected({ values }: ResourceValues): boolean {
  return Object.entries(PROTECTIONS).some(([attribute, value]) => values[attribute] === value);
}

function planChanged({ name }: InfrastructureStack): TandemError {
  return new TandemError(
    'PLAN_CHANGED',
    `${name} was left as it is: now that something has changed around it, other changes are due than were shown. ` +
      'Run the command again to see them',
    { data: { stack: name } },
  );
}
