import type { AttributeChange, InfrastructureStack, PlannedChange, StackPlan } from './infrastructure.ts';

/**
 * What somebody changed outside Terraform: what is not as the state has it, as far as Terraform would put it back. So what
 * AWS fills in by itself after a resource was made is no drift, nor what is left to the pipeline and the autoscaler
 * (`ignore_changes`), nor what the configuration has come to want as well.
 */
export function realDrift({ drift, changes }: StackPlan, { document }: InfrastructureStack): PlannedChange[] {
  return drift.flatMap(change => {
    const planned = changes.find(({ address }) => address === change.address);
    if (planned === undefined) return [];
    if (change.action !== 'update') return [change];
    const left = planned.attributes.filter(({ path }) => !isLeftToSchedules(document, change.type, path));
    const hasOwnTags = change.attributes.some(({ path }) => rootOf(path) === 'tags');
    const attributes = change.attributes.filter(
      attribute =>
        left.some(other => isSamePlace(attribute, other)) &&
        // The provider repeats every tag there.
        !(hasOwnTags && rootOf(attribute.path) === 'tags_all'),
    );
    return attributes.length === 0 ? [] : [{ ...change, attributes }];
  });
}

interface Resources {
  resource?: Readonly<Record<string, unknown>>;
}

/** Scheduled scaling moves the limits that the target was made with. */
function isLeftToSchedules(document: Resources, type: string, path: string): boolean {
  return (
    type === 'aws_appautoscaling_target' &&
    document.resource?.['aws_appautoscaling_scheduled_action'] !== undefined &&
    ['min_capacity', 'max_capacity'].includes(path)
  );
}

/** Within a list, what drifted and what would be put back may have other numbers. */
function isSamePlace({ path: one }: AttributeChange, { path: other }: AttributeChange): boolean {
  const [a, b] = [withoutIndexes(one), withoutIndexes(other)];
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

function withoutIndexes(path: string): string {
  return path.replace(/\[\d+\]/g, '');
}

/** `tags` of `tags.Owner` and of `tags["Owner"]`, not of `tags_all`. */
function rootOf(path: string): string {
  return /^[^.[]*/.exec(path)![0];
}
