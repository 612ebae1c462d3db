/**
 * The server's half of the conversation between `git receive-pack` and its `proc-receive` hook (githooks,
 * "proc-receive"): receive-pack names the ref updates that a push asks for, the hook makes them and reports.
 */
import { encodePacket, FLUSH_PACKET, type Packet } from './pkt-line.ts';

export interface RefCommand {
  ref: string;
  /** `undefined`: the ref is to be created. */
  before: string | undefined;
  /** `undefined`: the ref is to be deleted. */
  after: string | undefined;
}

export interface ProcReceiveRequest {
  commands: RefCommand[];
  /** Either all commands take effect or none. */
  atomic: boolean;
  pushOptions: string[];
}

export interface CommandResult {
  ref: string;
  /** Absent: done. Else one line for the pusher. */
  refusal?: string;
}

/** What the hook says first, as a format for `printf`: version 1, and the features that are understood. */
export const HOOK_GREETING = '0021version=1\\000push-options atomic0000';

/** Some 50,000 refs; whoever has more pushes them in parts. */
const LARGEST_REQUEST = 8 * 1_048_576;

class ProcReceiveError extends Error {
  override name = 'ProcReceiveError';
}

/**
 * Reads what receive-pack says packet by packet; `accept` returns the request when it is complete. Throws
 * ProcReceiveError for one that is too large.
 */
export class ProcReceiveReader {
  #size = 0;
  #sections: string[][] = [[]];
  #features: string[] = [];

  accept(packet: Packet): ProcReceiveRequest | undefined {
    if (packet !== 'flush') {
      this.#size += packet.length;
      if (this.#size > LARGEST_REQUEST)
        throw new ProcReceiveError(
          `The push names more refs than one push may (${LARGEST_REQUEST} bytes). Push them in several parts.`,
        );
      this.#sections.at(-1)!.push(packet.toString('utf8').replace(/\n$/, ''));
      return undefined;
    }
    const completed = this.#sections.length;
    this.#sections.push([]);
    if (completed === 1) this.#features = (this.#sections[0]![0] ?? '').split('\0')[1]?.split(' ') ?? [];
    const last = this.#features.includes('push-options') ? 3 : 2;
    return completed === last ? this.#request() : undefined;
  }

  #request(): ProcReceiveRequest {
    return {
      commands: this.#sections[1]!.map(parseCommand),
      atomic: this.#features.includes('atomic'),
      pushOptions: this.#sections[2] ?? [],
    };
  }
}

export function encodeResults(results: readonly CommandResult[]): Buffer {
  const packets = results.map(({ ref, refusal }) =>
    encodePacket(refusal === undefined ? `ok ${ref}` : `ng ${ref} ${oneLine(refusal)}`),
  );
  return Buffer.concat([...packets, FLUSH_PACKET]);
}

function parseCommand(line: string): RefCommand {
  const [before = '', after = '', ...ref] = line.split(' ');
  return { ref: ref.join(' '), before: realId(before), after: realId(after) };
}

function realId(id: string): string | undefined {
  return /^0*$/.test(id) ? undefined : id;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 400);
}
