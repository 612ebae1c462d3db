import type { Clock } from '../../../platform/clock.ts';
import { closeSync, openSync, readSync } from '../../../platform/files.ts';

const LOOK_EVERY_MS = 100;
const PIECE_BYTES = 65_536;

export interface FileFollower {
  /** Reads what is left, its last line too where it has no end, and closes the file. */
  end(): void;
}

/** Calls back with each line that is appended to a file, soon after. The file must be there. */
export function followFile(path: string, clock: Clock, onLine: (line: string) => void): FileFollower {
  const file = openSync(path, 'r');
  const piece = Buffer.alloc(PIECE_BYTES);
  const decoder = new TextDecoder();
  let rest = '';
  const look = () => {
    for (;;) {
      const length = readSync(file, piece, 0, PIECE_BYTES, null);
      if (length === 0) return;
      const lines = (rest + decoder.decode(piece.subarray(0, length), { stream: true })).split('\n');
      rest = lines.pop()!;
      lines.forEach(onLine);
    }
  };
  const timer = clock.every(LOOK_EVERY_MS, look);
  return {
    end() {
      timer.cancel();
      look();
      if (rest !== '') onLine(rest);
      closeSync(file);
    },
  };
}
