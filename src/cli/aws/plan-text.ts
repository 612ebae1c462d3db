import { unreachable } from '../../core/assert.ts';
import { MINUTE_MS } from '../../core/duration.ts';
import type {
  AttributeChange,
  ChangeAction,
  InfrastructureStack,
  PlannedChange,
  StackPlan,
} from '../../model/infrastructure.ts';
import type { Paint } from '../context.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';

export interface PlanTextOptions {
  paint: Paint;
  /** Every resource to be added by name, instead of how many of each type. */
  showsAll: boolean;
  /** The stacks whose plan could not be made. */
  unplanned: readonly string[];
}

/** The same change of the same resource in several stacks is shown once. */
interface MergedChange extends PlannedChange {
  stacks: string[];
}

/** The order in which a plan is read: what may lose something comes first. */
const ACTIONS: readonly ChangeAction[] = ['replace', 'delete', 'forget', 'update', 'create'];

/** Fewer than this are listed by name anyway. */
const FEW = 8;
const LONGEST_VALUE = 60;
const LINE_WIDTH = 96;

/** All stacks' plans as one: what is lost first and loudest, then what changes, then what is added, then numbers. */
export function planLines(plans: readonly StackPlan[], options: PlanTextOptions): string[] {
  const { paint, unplanned } = options;
  const changes = merged(plans);
  if (plans.length === 0) return [paint.red('no stack could be planned')];
  if (changes.length === 0) return unchangedLines(plans, options);
  const sections = ACTIONS.flatMap(action => {
    const own = changes.filter(change => change.action === action);
    return own.length === 0 ? [] : [...section(action, own, options), ''];
  });
  return [
    ...sections,
    ...countLines(plans, paint),
    ...deferredLines(plans, paint),
    ...(unplanned.length === 0
      ? []
      : ['', paint.red(`not planned, and so not in here: ${unplanned.join(', ')}`)]),
  ];
}

function unchangedLines(plans: readonly StackPlan[], { paint, unplanned }: PlanTextOptions): string[] {
  if (unplanned.length === 0)
    return [paint.green('nothing to change: everything is as the configuration says')];
  return [
    `nothing to change in ${plans.map(({ stack }) => stack).join(', ')}`,
    paint.red(`not planned, so unknown: ${unplanned.join(', ')}`),
  ];
}

/** `about 6 min, us-east-1-production takes longest`. */
export function forecastText(plans: readonly StackPlan[], stacks: readonly InfrastructureStack[]): string {
  const totalMs = forecastMs(plans, stacks);
  if (totalMs < MINUTE_MS) return 'less than a minute';
  return `about ${Math.ceil(totalMs / MINUTE_MS)} min`;
}

/** Until the last stack is applied, each after those that it comes after. */
export function forecastMs(plans: readonly StackPlan[], stacks: readonly InfrastructureStack[]): number {
  const endOf = (name: string): number => {
    const plan = plans.find(({ stack }) => stack === name);
    const after = stacks.find(stack => stack.name === name)?.after ?? [];
    return (plan?.durationMs ?? 0) + Math.max(0, ...after.map(endOf));
  };
  return Math.max(0, ...plans.map(({ stack }) => endOf(stack)));
}

/** How many resources a plan adds, changes, replaces and deletes. */
export function countsOf({ changes }: StackPlan): Record<'add' | 'change' | 'replace' | 'delete', number> {
  const count = (...actions: ChangeAction[]) =>
    changes.filter(({ action }) => actions.includes(action)).length;
  return {
    add: count('create'),
    change: count('update'),
    replace: count('replace'),
    delete: count('delete', 'forget'),
  };
}

function merged(plans: readonly StackPlan[]): MergedChange[] {
  const byContent = new Map<string, MergedChange>();
  for (const { stack, changes } of plans) {
    for (const change of changes) {
      const key = JSON.stringify(change);
      const known = byContent.get(key);
      if (known) known.stacks.push(stack);
      else byContent.set(key, { ...change, stacks: [stack] });
    }
  }
  return [...byContent.values()];
}

function section(action: ChangeAction, changes: readonly MergedChange[], options: PlanTextOptions): string[] {
  const count = changes.reduce((sum, { stacks }) => sum + stacks.length, 0);
  const { heading, colour } = headingOf(action, options.paint);
  const isListed = action !== 'create' || options.showsAll || changes.length < FEW;
  const lines = isListed ? changeLines(changes, options) : typeLines(changes);
  return [colour(`${count} ${heading}`), ...lines];
}

function headingOf(
  action: ChangeAction,
  paint: Paint,
): { heading: string; colour: (text: string) => string } {
  switch (action) {
    case 'replace':
      return {
        heading: 'TO BE REPLACED: deleted, and made anew',
        colour: text => paint.bold(paint.red(text)),
      };
    case 'delete':
      return { heading: 'TO BE DELETED', colour: text => paint.bold(paint.red(text)) };
    case 'forget':
      return { heading: 'to be left to themselves, and no longer looked after', colour: paint.yellow };
    case 'update':
      return { heading: 'to change', colour: paint.yellow };
    case 'create':
      return { heading: 'to add', colour: paint.green };
    default:
      return unreachable(action);
  }
}

function changeLines(changes: readonly MergedChange[], { paint }: PlanTextOptions): string[] {
  const addresses = table(
    changes.map(({ address, stacks, reason }) => [
      printable(address),
      stacks.join(', '),
      paint.dim(REASONS[reason ?? ''] ?? ''),
    ]),
    '  ',
  );
  return changes.flatMap(({ attributes }, index) => [
    addresses[index]!,
    ...table(
      attributes.map(attribute => attributeCells(attribute, paint)),
      '      ',
    ),
  ]);
}

/** Terraform's reasons that tell a reader something (format of `terraform show -json`). */
const REASONS: Readonly<Record<string, string>> = {
  delete_because_no_resource_config: 'no longer in the configuration',
  delete_because_wrong_repetition: 'no longer in the configuration',
  delete_because_count_index: 'no longer in the configuration',
  delete_because_each_key: 'no longer in the configuration',
  replace_because_tainted: 'it was left half-made',
  replace_by_request: 'as asked for',
};

function attributeCells({ path, before, after, forcesReplacement }: AttributeChange, paint: Paint): string[] {
  const value = (text: string | undefined) => (text === undefined ? '(nothing)' : shortened(printable(text)));
  return [
    printable(path),
    `${value(before)} → ${value(after)}`,
    forcesReplacement ? paint.red('cannot be changed in place') : '',
  ];
}

function shortened(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`;
}

/** `aws_subnet ×8, aws_vpc ×2`, the most numerous first, in lines of a readable width. */
function typeLines(changes: readonly MergedChange[]): string[] {
  const counts = new Map<string, number>();
  for (const { type, stacks } of changes) counts.set(type, (counts.get(type) ?? 0) + stacks.length);
  const words = [...counts]
    .sort(([nameA, a], [nameB, b]) => b - a || nameA.localeCompare(nameB))
    .map(([type, count]) => `${type.replace(/^aws_/, '')} ×${count}`);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 4 <= LINE_WIDTH)
      lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => `  ${line}${index < lines.length - 1 ? ',' : ''}`);
}

function countLines(plans: readonly StackPlan[], paint: Paint): string[] {
  const heads = ['add', 'change', 'replace', 'delete'] as const;
  const cell = (count: number, name: (typeof heads)[number]) => {
    const text = String(count).padStart(name.length);
    if (count === 0) return paint.dim(text);
    return name === 'replace' || name === 'delete' ? paint.red(text) : text;
  };
  return table([
    ['', ...heads],
    ...plans.map(plan => {
      const counts = countsOf(plan);
      return [plan.stack, ...heads.map(name => cell(counts[name], name))];
    }),
  ]);
}

function deferredLines(plans: readonly StackPlan[], paint: Paint): string[] {
  const deferred = plans.filter(({ isDeferred }) => isDeferred).map(({ stack }) => stack);
  if (deferred.length === 0) return [];
  return [
    '',
    paint.dim(
      `${deferred.join(', ')}: as the configuration describes it; planned in full once what it stands on is made,`,
    ),
    paint.dim('and applied only if nothing else turns out to be due.'),
  ];
}
