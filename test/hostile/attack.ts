/** Hostile input, and what a process may hold of it. */
export interface Attack {
  title: string;
  /** Makes it, at a size from 1 (harmless) to FULL_SIZE, and resolves with how it ended. */
  run(size: number): Promise<string>;
  /** Part of how it ends. */
  says: string;
}

export const FULL_SIZE = 1_000;

export const MEBIBYTE = 1_048_576;

/** An error's code, or that there was none. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'taken';
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}
