import { isRecord, scalarText, valueAt } from './manifest.ts';

/** What is to be said of a key while it is mapped. */
export type Tell = (kind: 'changed' | 'left', key: string, remark: string) => void;

/** Reads values of a manifest by their paths, each fitted to what Tandem takes; whatever is bent is told. */
export class ValueReader {
  readonly #value: unknown;
  readonly #tell: Tell;

  constructor(value: unknown, tell: Tell) {
    this.#value = value;
    this.#tell = tell;
  }

  tell(kind: 'changed' | 'left', key: string, remark: string): void {
    this.#tell(kind, key, remark);
  }

  raw(key: string): unknown {
    return valueAt(this.#value, key);
  }

  text(key: string): string | undefined {
    const text = scalarText(this.raw(key));
    return text === '' ? undefined : text;
  }

  /** A whole number, brought into the limits. */
  wholeNumber(key: string, minimum: number, maximum: number): number | undefined {
    const value = this.raw(key);
    if (value === undefined || value === null || isRecord(value)) return undefined;
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      this.#tell('left', key, `${show(value)} is no number; set it by hand`);
      return undefined;
    }
    return this.#fitted(key, number, minimum, maximum, '');
  }

  /** Go's way of writing durations, `90s`, `1m30s`; a bare number counts seconds. */
  seconds(key: string, minimum: number, maximum: number): number | undefined {
    const value = this.raw(key);
    if (value === undefined || value === null || isRecord(value)) return undefined;
    const seconds = typeof value === 'number' ? value : parseDuration(scalarText(value) ?? '');
    if (seconds === undefined || !Number.isFinite(seconds)) {
      this.#tell('left', key, `${show(value)} is no duration as \`30s\` or \`2m\`; set it by hand`);
      return undefined;
    }
    return this.#fitted(key, seconds, minimum, maximum, ' seconds');
  }

  #fitted(key: string, value: number, minimum: number, maximum: number, unit: string): number {
    const fitted = Math.round(Math.min(maximum, Math.max(minimum, value)));
    if (fitted !== value) {
      this.#tell('changed', key, `${value} became ${fitted}: Tandem takes ${minimum} to ${maximum}${unit}`);
    }
    return fitted;
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };

function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_SECONDS[unit!]!,
    0,
  );
}

/** A value as people recognise it in a remark. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
