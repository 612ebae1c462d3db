import type {
  AttributeChange,
  ChangeAction,
  InfrastructureStack,
  PlannedChange,
  ResourceValues,
  StackPlan,
} from '../../../model/infrastructure.ts';
import { forecastMs } from '../forecast.ts';

/** What `terraform show -json <plan>` prints, as far as it is read here (format version 1). */
interface PlanDocument {
  resource_changes?: ResourceChange[];
  resource_drift?: ResourceChange[];
  prior_state?: { values?: { root_module?: Module } };
  applyable?: boolean;
}

interface ResourceChange {
  address: string;
  mode: string;
  type: string;
  action_reason?: string;
  change: {
    actions: string[];
    before: unknown;
    after: unknown;
    after_unknown?: unknown;
    before_sensitive?: unknown;
    after_sensitive?: unknown;
    replace_paths?: (string | number)[][];
  };
}

interface Module {
  resources?: { address: string; mode: string; type: string; values?: Record<string, unknown> }[];
  child_modules?: Module[];
}

/** Reads a plan as Terraform shows it. */
export function readSavedPlan(text: string, stack: InfrastructureStack): StackPlan {
  const document = JSON.parse(text) as PlanDocument;
  const changes = (document.resource_changes ?? []).flatMap(plannedChange);
  return {
    stack: stack.name,
    region: stack.region,
    changes,
    drift: (document.resource_drift ?? []).flatMap(plannedChange),
    existing: resourcesOf(document.prior_state?.values?.root_module),
    document,
    isDeferred: false,
    durationMs: forecastMs(stack, changes),
    isApplicable: document.applyable ?? changes.length > 0,
  };
}

/** Reads a state as `terraform show -json` shows it; none where nothing was ever applied. */
export function readState(text: string): ResourceValues[] {
  return resourcesOf((JSON.parse(text) as { values?: { root_module?: Module } }).values?.root_module);
}

function resourcesOf(module: Module | undefined): ResourceValues[] {
  if (module === undefined) return [];
  const own = (module.resources ?? [])
    .filter(({ mode }) => mode === 'managed')
    .map(({ address, type, values }) => ({ address, type, values: values ?? {} }));
  return [...own, ...(module.child_modules ?? []).flatMap(resourcesOf)];
}

function plannedChange({
  address,
  mode,
  type,
  action_reason: reason,
  change,
}: ResourceChange): PlannedChange[] {
  const action = actionOf(change.actions);
  if (mode !== 'managed' || action === undefined) return [];
  const isComparison = action === 'update' || action === 'replace';
  return [
    {
      address,
      type,
      action,
      ...(reason !== undefined && { reason }),
      attributes: isComparison ? attributeChanges(change) : [],
    },
  ];
}

function actionOf(actions: readonly string[]): ChangeAction | undefined {
  switch (actions.join(' ')) {
    case 'create':
    case 'update':
    case 'delete':
    case 'forget':
      return actions[0] as ChangeAction;
    case 'delete create':
    case 'create delete':
      return 'replace';
    default:
      return undefined;
  }
}

function attributeChanges(change: ResourceChange['change']): AttributeChange[] {
  const forcing = new Set((change.replace_paths ?? []).map(pathText));
  const found: AttributeChange[] = [];
  compare(
    {
      before: change.before,
      after: change.after,
      unknown: change.after_unknown,
      isSecretBefore: change.before_sensitive,
      isSecretAfter: change.after_sensitive,
    },
    [],
    (path, before, after) => {
      const forcesReplacement = [...forcing].some(
        forced => path === forced || path.startsWith(`${forced}.`) || path.startsWith(`${forced}[`),
      );
      found.push({
        path,
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
        forcesReplacement,
      });
    },
  );
  return found;
}

/** The same place in the five trees that Terraform gives of one resource; the last three hold `true` where it applies. */
interface Place {
  before: unknown;
  after: unknown;
  unknown: unknown;
  isSecretBefore: unknown;
  isSecretAfter: unknown;
}

type Found = (path: string, before: string | undefined, after: string | undefined) => void;

const HIDDEN = '(sensitive)';
const LATER = '(known after apply)';

function compare(place: Place, path: readonly (string | number)[], found: Found): void {
  const { before, after, unknown, isSecretBefore, isSecretAfter } = place;
  const isSecret = isSecretBefore === true || isSecretAfter === true;
  if (unknown === true) {
    found(pathText(path), isSecret ? HIDDEN : valueText(before), LATER);
    return;
  }
  if (isSecret) {
    if (!isEqual(before, after)) found(pathText(path), shownSecret(before), shownSecret(after));
    return;
  }
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const key of keysOf(before, after, unknown)) {
      compare(
        {
          before: child(before, key),
          after: child(after, key),
          unknown: child(unknown, key),
          isSecretBefore: child(isSecretBefore, key),
          isSecretAfter: child(isSecretAfter, key),
        },
        [...path, key],
        found,
      );
    }
    return;
  }
  if (isEqual(before, after)) return;
  // A tree that comes or goes as a whole may hold a secret anywhere.
  found(
    pathText(path),
    holdsSecret(isSecretBefore) ? shownSecret(before) : valueText(before),
    holdsSecret(isSecretAfter) ? shownSecret(after) : valueText(after),
  );
}

function shownSecret(value: unknown): string | undefined {
  return isAbsent(value) ? undefined : HIDDEN;
}

function holdsSecret(marks: unknown): boolean {
  return marks === true || (isTree(marks) && Object.values(marks).some(holdsSecret));
}

function keysOf(before: object, after: object, unknown: unknown): (string | number)[] {
  const all = [before, after, isTree(unknown) ? unknown : {}].flatMap(Object.keys);
  const keys = [...new Set(all)];
  return Array.isArray(before) ? keys.map(Number) : keys;
}

function child(tree: unknown, key: string | number): unknown {
  return isTree(tree) ? (tree as Record<string | number, unknown>)[key] : undefined;
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

function isEqual(before: unknown, after: unknown): boolean {
  return (isAbsent(before) && isAbsent(after)) || JSON.stringify(before) === JSON.stringify(after);
}

function valueText(value: unknown): string | undefined {
  return isAbsent(value) ? undefined : JSON.stringify(value);
}

function pathText(path: readonly (string | number)[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}
