import type { CloudRecord } from './cloud-record.ts';

/** Names at most so many changed keys. */
const NAMED_KEYS = 4;

/** What running processes would do differently by `next`, one phrase each; empty where nothing. */
export function recordChanges(current: CloudRecord, next: CloudRecord): string[] {
  const keys = changedKeys(current.config, next.config);
  const rest = keys.length - NAMED_KEYS;
  const named = keys.slice(0, NAMED_KEYS).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return [
    ...programChange(current.program, next.program),
    ...(current.configPath === next.configPath ? [] : [`the config file ${next.configPath}`]),
    ...(keys.length === 0 ? [] : [`changed config (${named})`]),
    ...(current.timing === next.timing ? [] : [`timing ${next.timing}`]),
  ];
}

function programChange(current: CloudRecord['program'], next: CloudRecord['program']): string[] {
  if (current?.version !== next?.version) {
    return [`Tandem ${next?.version ?? '(unknown)'} in place of ${current?.version ?? 'an earlier version'}`];
  }
  return current?.entry === next?.entry ? [] : [`the Tandem of ${next?.entry}`];
}

/** Paths of the values that differ, as `service.memoryMb`; an array is one value. */
function changedKeys(current: unknown, next: unknown, path = ''): string[] {
  if (JSON.stringify(current) === JSON.stringify(next)) return [];
  if (!isSection(current) || !isSection(next)) return [path];
  return [...new Set([...Object.keys(current), ...Object.keys(next)])].flatMap(key =>
    changedKeys(current[key], next[key], path === '' ? key : `${path}.${key}`),
  );
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
