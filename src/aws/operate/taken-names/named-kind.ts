import { errorMessage } from '../../../core/error.ts';
import type { ClientSettings } from '../aws-session.ts';

/** A thing that has one of the names: Terraform imports it by an id of its own kind. */
export interface Taken {
  name: string;
  importId: string;
  /** Where it is there only in a way. */
  state?: string;
  /** Where it is another than its kind's. */
  command?: string;
}

/** A name that may not be looked at. */
export interface Unseen {
  name: string;
  reason: string;
}

export type FindTaken = (
  settings: ClientSettings,
  names: readonly string[],
) => Promise<readonly (Taken | Unseen)[]>;

/** A kind of thing whose making Terraform fails at, or which it silently takes over, where the name exists. */
export interface NamedKind {
  /** As people know it. */
  title: string;
  /** Terraform's attribute that has the name, or how it is made of several. */
  name: string | ((values: Readonly<Record<string, unknown>>) => string | undefined);
  findTaken: FindTaken;
  /**
   * The AWS command line's that removes one that holds no data, if one command does and none would be lost by mistake;
   * else what shows it. `$name` and `$id` are those of what was found; the region is added. Absent where each has its own.
   */
  command?: string;
}

/** By Terraform's type. */
export type NamedKinds = Readonly<Record<string, NamedKind>>;

/**
 * Asks one after the other: all at once would be refused as too many. What may not be looked at hides no other.
 *
 * @param ask gives what Terraform imports it by, or `true` if that is the name
 */
export async function askEach(
  names: readonly string[],
  ask: (name: string) => Promise<Omit<Taken, 'name'> | Omit<Unseen, 'name'> | boolean>,
): Promise<(Taken | Unseen)[]> {
  const found: (Taken | Unseen)[] = [];
  for (const name of names) {
    try {
      const answer = await ask(name);
      if (answer === true) found.push({ name, importId: name });
      else if (answer !== false) found.push({ name, ...answer });
    } catch (error) {
      if (!isForbidden(error)) throw error;
      found.push({ name, reason: errorMessage(error) });
    }
  }
  return found;
}

/** Goes through all that there is, where AWS takes no names or fails at one that is missing. */
export async function amongListed<Page>(
  names: readonly string[],
  pages: AsyncIterable<Page>,
  listed: (page: Page) => readonly { name: string | undefined; importId?: string | undefined }[] | undefined,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  for await (const page of pages) {
    for (const { name = '', importId = name } of listed(page) ?? []) {
      if (names.includes(name)) taken.push({ name, importId });
    }
  }
  return taken;
}

/** Those that are imported by their names. */
export function among(names: readonly string[], found: readonly (string | undefined)[]): Taken[] {
  return names.filter(name => found.includes(name)).map(name => ({ name, importId: name }));
}

export function isThere(): true {
  return true;
}

/** What a service throws for a name that is free. */
export function absent(kind: new (...given: never[]) => Error): (error: unknown) => false {
  return error => {
    if (error instanceof kind) return false;
    throw error;
  };
}

/** JSON services answer with status 400, all others with 403. */
function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error) || !('$metadata' in error)) return false;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode === 403 || error.name.startsWith('AccessDenied');
}
