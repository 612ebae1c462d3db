/**
 * What regions tell each other besides git's own protocol: the state of every ref, with its version. A message that
 * does not fit is refused, since a peer may run another version of this program.
 */
import { z } from 'zod';
import type { RefStates, VersionAdoption } from '../../control/replication/decide.ts';
import type { Version } from '../../control/replication/version.ts';
import { sha256 } from '../../platform/hash.ts';

const id = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const version = z.record(z.string().max(100), z.int().nonnegative());
const refEntry = z.strictObject({ ref: z.string().min(1).max(4_096), id: id.optional(), version });
const refEntries = z.array(refEntry);
const versionOption = z.strictObject({ ref: z.string(), version });

type RefEntry = z.output<typeof refEntry>;

/** Sent with every request of one region to another, git's included: who asks. */
export const REGION_HEADER = 'tandem-region';

export function encodeRefStates(states: RefStates): string {
  const entries = [...states].map(([ref, state]) => toEntry(ref, state.id, state.version));
  return JSON.stringify(entries.sort((left, right) => (left.ref < right.ref ? -1 : 1)));
}

/** The same states give the same digest at every region. */
export function digestRefStates(encoded: string): string {
  return `"${sha256(encoded)}"`;
}

/** Throws where the text is not such a message. */
export function decodeRefStates(text: string): RefStates {
  const entries = refEntries.parse(JSON.parse(text));
  return new Map(entries.map(entry => [entry.ref, { id: entry.id, version: entry.version }]));
}

export function encodeAdoptions(adoptions: readonly VersionAdoption[]): string {
  return JSON.stringify(adoptions.map(({ ref, id, version }) => toEntry(ref, id, version)));
}

/** Throws where the text is not such a message. */
export function decodeAdoptions(text: string): VersionAdoption[] {
  return refEntries.parse(JSON.parse(text)).map(entry => ({ ...entry, id: entry.id }));
}

/** A push carries each ref's version as a push option. */
export function encodeVersionOption(ref: string, version: Version): string {
  return JSON.stringify({ ref, version });
}

/** Options of another kind are left out. */
export function decodeVersionOptions(options: readonly string[]): Map<string, Version> {
  return new Map(
    options.flatMap(option => {
      const parsed = versionOption.safeParse(parseJson(option));
      return parsed.success ? [[parsed.data.ref, parsed.data.version] as const] : [];
    }),
  );
}

function toEntry(ref: string, id: string | undefined, version: Version): RefEntry {
  const sorted = Object.fromEntries(
    Object.entries(version).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  return { ref, ...(id === undefined ? {} : { id }), version: sorted };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
