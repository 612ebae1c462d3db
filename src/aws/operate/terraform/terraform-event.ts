import { SECOND_MS } from '../../../core/duration.ts';
import type { ResourceProgress, StackDiagnostic } from '../../../model/infrastructure.ts';

/** What one line of `terraform … -json` says, as far as anybody here listens. */
export type TerraformEvent =
  | { kind: 'resource'; resource: ResourceProgress }
  | { kind: 'diagnostic'; diagnostic: StackDiagnostic }
  | { kind: 'outputs'; values: Readonly<Record<string, unknown>> };

interface Line {
  type?: string;
  hook?: { resource?: Named; action?: string; elapsed_seconds?: number };
  diagnostic?: { severity?: string; summary?: string; detail?: string; address?: string };
  outputs?: Record<string, { sensitive?: boolean; value?: unknown }>;
}

interface Named {
  addr?: string;
  resource_type?: string;
}

const STATES: Readonly<Record<string, ResourceProgress['state']>> = {
  apply_start: 'started',
  apply_progress: 'running',
  apply_complete: 'done',
  apply_errored: 'failed',
};

const ACTIONS: ReadonlySet<string> = new Set(['create', 'update', 'delete', 'read']);

/**
 * Reads one line of the machine-readable UI (Terraform's and OpenTofu's format is the same). `undefined` for lines that
 * say nothing of interest, or are no such line at all: a crash or a plugin may write anything.
 */
export function parseEvent(text: string): TerraformEvent | undefined {
  const line = parseJson(text);
  if (line === undefined) return undefined;
  const { type = '', hook, diagnostic, outputs } = line;
  if (diagnostic !== undefined) {
    const { severity, summary = '', detail = '', address } = diagnostic;
    return {
      kind: 'diagnostic',
      diagnostic: {
        severity: severity === 'warning' ? 'warning' : 'error',
        summary,
        detail,
        ...(address !== undefined && { address }),
      },
    };
  }
  const state = STATES[type];
  if (state !== undefined && hook?.resource?.addr !== undefined && ACTIONS.has(hook.action ?? '')) {
    return {
      kind: 'resource',
      resource: {
        address: hook.resource.addr,
        type: hook.resource.resource_type ?? '',
        action: hook.action as ResourceProgress['action'],
        state,
        elapsedMs: (hook.elapsed_seconds ?? 0) * SECOND_MS,
      },
    };
  }
  if (type === 'outputs' && outputs !== undefined) {
    const shown = Object.entries(outputs).filter(
      ([, { sensitive, value }]) => sensitive !== true && value !== undefined,
    );
    return { kind: 'outputs', values: Object.fromEntries(shown.map(([name, { value }]) => [name, value])) };
  }
  return undefined;
}

function parseJson(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
