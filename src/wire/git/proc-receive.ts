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

/** Reads a conversation packet by packet: `accept` answers with bytes to send and, at the end, the request. */
export class ProcReceiveReader {
  #sections: string[][] = [[]];
  #features: string[] = [];

  accept(packet: Packet): { reply?: Buffer; request?: ProcReceiveRequest } {
    if (packet !== 'flush') {
      this.#sections.at(-1)!.push(packet.toString('utf8').replace(/\n$/, ''));
      return {};
    }
    const completed = this.#sections.length;
    this.#sections.push([]);
    if (completed === 1) return { reply: this.#agreeOnFeatures() };
    const isLast = completed === (this.#features.includes('push-options') ? 3 : 2);
    return isLast ? { request: this.#request() } : {};
  }

  #agreeOnFeatures(): Buffer {
    const [, offered = ''] = (this.#sections[0]![0] ?? '').split('\0');
    this.#features = offered.split(' ').filter(feature => feature === 'atomic' || feature === 'push-options');
    return Buffer.concat([encodePacket(`version=1\0${this.#features.join(' ')}`), FLUSH_PACKET]);
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
