import { formatDuration } from '../../core/duration.ts';
import type { Instant } from '../../core/instant.ts';
import type {
  InfrastructureStack,
  ResourceProgress,
  StackOperation,
  StackProgress,
} from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { ProgressView } from '../progress-view.ts';
import { printable } from '../text/printable.ts';

interface Row {
  operation: StackOperation;
  since: Instant;
  done: number;
  /** Addresses that are being worked on, the longest first. */
  current: Map<string, ResourceProgress>;
}

const OPERATIONS: Readonly<Record<StackOperation, string>> = {
  init: 'getting ready',
  plan: 'planning',
  apply: 'applying',
  destroy: 'deleting',
};

/**
 * Live progress of Terraform in several stacks. On a terminal each stack is one row, with how far it is and what it waits
 * for; in a pipe each thing that is finished is a line.
 */
export class StackProgressView {
  readonly #context: CommandContext;
  readonly #view: ProgressView;
  readonly #rows = new Map<string, Row>();
  readonly #totals = new Map<string, number>();

  constructor(context: CommandContext) {
    this.#context = context;
    this.#view = new ProgressView(context.stderr, context.progressPaint, context.clock);
  }

  /** How many steps the stack's plan has; shown as `12 of 34`. */
  expect(stack: string, steps: number): void {
    this.#totals.set(stack, steps);
  }

  /** A row for a stack whose turn has not come. */
  wait(stack: string): void {
    if (this.#context.stderr.isTerminal)
      this.#view.set(stack, { text: this.#context.progressPaint.dim('waiting') });
  }

  onProgress = ({ name }: InfrastructureStack, progress: StackProgress): void => {
    switch (progress.kind) {
      case 'operation':
        this.#onOperation(name, progress.operation, progress.state);
        break;
      case 'resource':
        this.#onResource(name, progress.resource);
        break;
      case 'diagnostic':
        // Errors are told in full when the operation has ended.
        break;
    }
  };

  /** A line that stays. */
  note = (line: string): void => this.#view.note(line);

  end(options: { keep: boolean }): void {
    this.#view.end(options);
    this.#rows.clear();
  }

  #onOperation(name: string, operation: StackOperation, state: 'started' | 'ended'): void {
    const { clock, stderr, progressPaint: paint } = this.#context;
    if (state === 'started') {
      this.#rows.set(name, { operation, since: clock.now(), done: 0, current: new Map() });
      if (stderr.isTerminal) this.#draw(name);
      else this.#context.note(`${name}  ${OPERATIONS[operation]}`);
      return;
    }
    if (stderr.isTerminal) this.#view.set(name, { text: paint.dim(`${OPERATIONS[operation]}: done`) });
  }

  #onResource(name: string, resource: ResourceProgress): void {
    const row = this.#rows.get(name);
    if (row === undefined || resource.action === 'read') return;
    const { address, state } = resource;
    if (state === 'done' || state === 'failed') {
      row.current.delete(address);
      row.done += 1;
      if (!this.#context.stderr.isTerminal) this.#context.note(`${name}  ${endText(resource)}`);
    } else {
      row.current.set(address, resource);
    }
    if (this.#context.stderr.isTerminal) this.#draw(name);
  }

  #draw(name: string): void {
    const row = this.#rows.get(name)!;
    const { operation, since, done, current } = row;
    const total = this.#totals.get(name);
    const isCounted = (operation === 'apply' || operation === 'destroy') && total !== undefined;
    const count = isCounted ? ` ${done} of ${Math.max(total, done)}` : '';
    const oldest = [...current.values()].sort((a, b) => b.elapsedMs - a.elapsedMs)[0];
    const what = oldest === undefined ? '' : `  ${printable(oldest.address)}`;
    const more = current.size > 1 ? ` and ${current.size - 1} more` : '';
    this.#view.set(name, { text: `${OPERATIONS[operation]}${count}${what}${more}`, since });
  }
}

const ENDS: Readonly<Record<ResourceProgress['action'], string>> = {
  create: 'made',
  update: 'changed',
  delete: 'deleted',
  read: 'read',
};

function endText({ address, action, state, elapsedMs }: ResourceProgress): string {
  const what = state === 'failed' ? 'FAILED' : ENDS[action];
  return `${what} ${printable(address)}${elapsedMs === 0 ? '' : ` (${formatDuration(elapsedMs)})`}`;
}
