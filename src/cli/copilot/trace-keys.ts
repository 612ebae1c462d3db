import { nearest } from '../../core/nearest.ts';
import { isRecord, valueAt, type KeyPath, type Manifest } from './manifest.ts';
import { hasRulesBelow, ruleFor, type KeyRule } from './manifest-keys.ts';
import type { Remark } from './remark.ts';

/** What the mapping had to say of keys of one manifest; what is said twice, for two environments, is kept once. */
export class Told {
  readonly #manifest: Manifest;
  readonly #rules: readonly KeyRule[];
  readonly remarks: Remark[] = [];

  constructor(manifest: Manifest, rules: readonly KeyRule[]) {
    this.#manifest = manifest;
    this.#rules = rules;
  }

  /** @param environment whose override the key is looked for in first */
  tell(kind: 'changed' | 'left', key: string, remark: string, environment?: string): void {
    const overridden = `environments.${environment}.${key}`;
    const written = valueAt(this.#manifest.value, overridden) === undefined ? key : overridden;
    if (this.remarks.some(other => other.key === written && 'remark' in other && other.remark === remark))
      return;
    const place = placeOf(this.#manifest, written.split('.'));
    const into = nearestRule(this.#rules, key.split('.'))?.into ?? '';
    this.remarks.push(kind === 'left' ? { kind, ...place, remark } : { kind, ...place, into, remark });
  }
}

/** Says of every key of a manifest what became of it, in the order of its lines: none is passed over in silence. */
export function traceKeys(manifest: Manifest, rules: readonly KeyRule[], told: readonly Remark[]): Remark[] {
  const remarks: Remark[] = [...told];
  const visit = (value: unknown, path: KeyPath): void => {
    const key = path.join('.');
    // Of what was left or changed as a whole, the parts need no words of their own.
    if (told.some(other => other.key === key || (other.kind === 'left' && key.startsWith(`${other.key}.`))))
      return;
    const at = withoutEnvironment(path);
    const rule = ruleFor(rules, at);
    const hasKeys = isRecord(value) || Array.isArray(value);
    if (hasKeys && rule?.mend === undefined && hasRulesBelow(rules, at)) {
      for (const [name, entry] of Object.entries(value)) visit(entry, [...path, name]);
    } else if (rule?.into !== undefined) {
      remarks.push({ kind: 'taken', ...placeOf(manifest, path), into: rule.into });
    } else if (!isSwitchedOff(value)) {
      const remark = rule?.mend ?? unknownKey(String(path.at(-1)), rules);
      remarks.push({ kind: 'left', ...placeOf(manifest, path), remark });
    }
  };
  for (const [key, value] of Object.entries(manifest.value)) {
    if (key !== 'environments') visit(value, [key]);
    else if (isRecord(value)) {
      for (const [name, overrides] of Object.entries(value)) {
        for (const [own, entry] of Object.entries(isRecord(overrides) ? overrides : {})) {
          visit(entry, [key, name, own]);
        }
      }
    }
  }
  return remarks.sort((one, other) => one.line - other.line);
}

/** `environments.prod.count` is about `count`. */
function withoutEnvironment(path: KeyPath): KeyPath {
  return path[0] === 'environments' ? path.slice(2) : path;
}

/** `exec: false` asks for nothing. */
function isSwitchedOff(value: unknown): boolean {
  return value === false || value === null;
}

function nearestRule(rules: readonly KeyRule[], path: KeyPath): KeyRule | undefined {
  for (let length = path.length; length > 0; length--) {
    const rule = ruleFor(rules, path.slice(0, length));
    if (rule) return rule;
  }
  return undefined;
}

function unknownKey(key: string, rules: readonly KeyRule[]): string {
  const meant = nearest(
    key,
    rules.map(rule => rule.key.split('.').at(-1)!),
  );
  return meant === undefined || meant === key
    ? 'no key that Copilot documents here; look for what it was to do in docs/configuration.md'
    : `no key that Copilot documents here; was ${meant} meant?`;
}

function placeOf(manifest: Manifest, path: KeyPath) {
  return { file: manifest.file, line: manifest.lineOf(path), key: path.join('.') };
}
