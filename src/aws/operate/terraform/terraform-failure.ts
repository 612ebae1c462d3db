import { TandemError } from '../../../core/error.ts';
import type { StackOperation, StateLock } from '../../../model/infrastructure.ts';
import type { TerraformRun } from './terraform-run.ts';

export interface FailedRun {
  stack: string;
  operation: StackOperation;
  run: TerraformRun;
  folder: string;
  logPath: string;
  /** Beginning of commands to copy: `terraform`, `tofu`. */
  programName: string;
}

/** What a failed run means to a person: the failures that everybody meets get a code and a mend of their own. */
export function failureOf(failed: FailedRun): TandemError {
  const { stack, operation, run, folder, logPath, programName } = failed;
  const errors = run.diagnostics.filter(({ severity }) => severity === 'error');
  const all = [...errors.map(({ summary, detail }) => `${summary}\n${detail}`), ...run.text].join('\n');
  const data = { stack, operation, logPath, diagnostics: errors };
  const lock = parseLock(all);
  if (lock !== undefined) {
    return new TandemError(
      'STATE_LOCKED',
      `the state of ${stack} is locked by ${lockText(lock)}. Wait for it to end; if it never will, \`tandem unlock ${stack}\``,
      { data: { ...data, lock } },
    );
  }
  if (all.includes('Saved plan is stale')) {
    return new TandemError(
      'PLAN_STALE',
      `${stack} was changed by somebody else since it was planned, so nothing of this plan was applied: run the command again`,
      { data },
    );
  }
  if (/S3 bucket .* does not exist|NoSuchBucket/.test(all)) {
    return new TandemError(
      'STATE_BUCKET_MISSING',
      `there is no bucket yet for the state of ${stack}: \`tandem bootstrap\` makes it`,
      { data },
    );
  }
  if (/Backend configuration changed|Backend initialization required/.test(all)) {
    return new TandemError(
      'STATE_ELSEWHERE',
      `the state of ${stack} was kept somewhere else before. To move it: ${programName} -chdir=${folder} init -migrate-state; ` +
        'to go on with the old one, say the same options as then (--local-state)',
      { data: { ...data, folder } },
    );
  }
  if (run.wasInterrupted) {
    return new TandemError(
      'OPERATION_INTERRUPTED',
      `${stack}: ${operation} was interrupted; what was finished is recorded`,
      {
        data,
      },
    );
  }
  const first = errors[0];
  const place = first?.address === undefined ? '' : `${first.address}: `;
  const said =
    first === undefined ? (run.text.at(-1) ?? 'it ended without a word') : `${place}${sentence(first)}`;
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new TandemError(
    'TERRAFORM_FAILED',
    `${stack}: ${programName} ${operation} failed: ${said}${others}\n  its whole output: ${logPath}`,
    { kind: 'system', data: { ...data, exitCode: run.exitCode } },
  );
}

function sentence({ summary, detail }: { summary: string; detail: string }): string {
  const line = detail.split('\n').find(text => text.trim() !== '');
  return line === undefined || line === summary ? summary : `${summary}: ${line.trim()}`;
}

/** `ada@laptop, apply, since 2026-11-23T05:00:00Z (id 1234)`. */
function lockText({ who, operation, created, id }: StateLock): string {
  const what = operation.replace(/^OperationType/, '').toLowerCase();
  return `${who || 'somebody'} (${[what, created && `since ${created}`, `id ${id}`].filter(Boolean).join(', ')})`;
}

/** The lock as Terraform's error tells it. */
function parseLock(text: string): StateLock | undefined {
  if (!text.includes('Error acquiring the state lock')) return undefined;
  const field = (name: string) => new RegExp(`^\\s*${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const id = field('ID');
  return id === ''
    ? undefined
    : {
        id,
        operation: field('Operation'),
        who: field('Who'),
        created: field('Created'),
        path: field('Path'),
      };
}
