/**
 * What the scheduled check runs (src/aws/terraform/modules/drift-check-buildspec.ts), bundled into one file:
 * `node drift-check.mjs <stack> <its document> <the plan as terraform show -json prints it>`. Prints a verdict as JSON.
 */
import { realDrift } from '../../model/real-drift.ts';
import type { PlannedChange, StackPlan } from '../../model/infrastructure.ts';
import { readFileSync } from '../../platform/files.ts';
import { commandArguments, writeOutput } from '../../platform/process.ts';
import { readSavedPlan } from './terraform/saved-plan.ts';

interface Verdict {
  /** `mendable`: applying the plan would put back what has drifted, and do nothing else. */
  verdict: 'clean' | 'drifted' | 'mendable';
  /** For people. */
  text: string;
}

/** SNS takes 256 KB, and nobody reads further. */
const MOST_LINES = 200;
const LONGEST_VALUE = 300;

function judge(plan: StackPlan, drift: readonly PlannedChange[]): Verdict {
  if (drift.length === 0) return { verdict: 'clean', text: '' };
  const drifted = new Set(drift.map(({ address }) => address));
  const isMendable = plan.changes.every(
    ({ address, action }) => drifted.has(address) && (action === 'update' || action === 'create'),
  );
  const lines = drift.flatMap(({ address, action, attributes }) => [
    `  ${address}${action === 'delete' ? ': gone' : ''}`,
    ...attributes.map(({ path, before, after }) => `    ${path}: ${shown(before)} -> ${shown(after)}`),
  ]);
  const rest = lines.length > MOST_LINES ? [`  … and ${lines.length - MOST_LINES} more lines`] : [];
  return {
    verdict: isMendable ? 'mendable' : 'drifted',
    text: [`${plan.stack} is not as it was deployed:`, '', ...lines.slice(0, MOST_LINES), ...rest].join('\n'),
  };
}

function shown(value = 'nothing'): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
}

const [name = '', documentPath = '', planPath = ''] = commandArguments;
const document = JSON.parse(readFileSync(documentPath, 'utf8')) as Record<string, unknown>;
const stack = { name, region: 'us-east-1' as const, document };
const plan = readSavedPlan(readFileSync(planPath, 'utf8'), stack);
writeOutput(`${JSON.stringify(judge(plan, realDrift(plan, stack)))}\n`);
