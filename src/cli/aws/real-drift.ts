import type { InfrastructureStack, PlannedChange, StackPlan } from '../../model/infrastructure.ts';

/**
 * What somebody changed outside Terraform, without what is meant to be changed there: the attributes that a resource's
 * own `ignore_changes` leave to the pipeline (task definition, weights) and the autoscaler (desired count).
 */
export function realDrift({ drift }: StackPlan, { document }: InfrastructureStack): PlannedChange[] {
  return drift.flatMap(change => {
    if (change.action !== 'update' || change.attributes.length === 0) return [change];
    const ignored = ignoredPaths(document, change.address);
    const hasOwnTags = change.attributes.some(({ path }) => isWithin(path, 'tags'));
    const attributes = change.attributes.filter(
      ({ path }) =>
        !ignored.some(entry => entry === 'all' || isWithin(path, entry)) &&
        // The provider repeats every tag there.
        !(hasOwnTags && isWithin(path, 'tags_all')),
    );
    return attributes.length === 0 ? [] : [{ ...change, attributes }];
  });
}

interface Resources {
  resource?: Readonly<Record<string, Readonly<Record<string, { lifecycle?: Lifecycle }>>>>;
}

interface Lifecycle {
  ignore_changes?: readonly string[] | 'all';
}

function ignoredPaths(document: InfrastructureStack['document'], address: string): readonly string[] {
  const [type = '', name = ''] = address.replace(/\[[^\]]*\]$/, '').split('.');
  const { resource = {} } = document as Resources;
  // Scheduled scaling moves the limits that it was made with.
  if (type === 'aws_appautoscaling_target' && resource['aws_appautoscaling_scheduled_action']) {
    return ['min_capacity', 'max_capacity'];
  }
  const ignored = resource[type]?.[name]?.lifecycle?.ignore_changes ?? [];
  return ignored === 'all' ? ['all'] : ignored;
}

/** `tags` holds `tags.Owner` and `tags["Owner"]`, not `tags_all`. */
function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}
