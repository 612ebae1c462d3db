/**
 * What a ref's value at one replica has seen: for each replica, the number of its newest change that led here
 * (a version vector; Parker et al., "Detection of Mutual Inconsistency in Distributed Systems", 1983). It tells
 * "newer" from "changed on both sides" without any clock, also where a ref was moved back to an old value or was
 * deleted, which comparing values alone cannot.
 */
export type Version = Readonly<Record<string, number>>;

export type Causality = 'equal' | 'before' | 'after' | 'concurrent';

/** How `left` stands to `right`: `after` where left has seen all that right has, and more. */
export function compareVersions(left: Version, right: Version): Causality {
  let leftHasMore = false;
  let rightHasMore = false;
  for (const replica of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const difference = (left[replica] ?? 0) - (right[replica] ?? 0);
    if (difference > 0) leftHasMore = true;
    if (difference < 0) rightHasMore = true;
  }
  if (leftHasMore && rightHasMore) return 'concurrent';
  if (leftHasMore) return 'after';
  return rightHasMore ? 'before' : 'equal';
}

/** The smallest version that has seen all that both have. Keys are sorted, so that equal versions print alike. */
export function joinVersions(left: Version, right: Version): Version {
  const replicas = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return Object.fromEntries(
    replicas.map(replica => [replica, Math.max(left[replica] ?? 0, right[replica] ?? 0)]),
  );
}
