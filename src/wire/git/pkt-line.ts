/**
 * Git's pkt-line framing (gitprotocol-common: "pkt-line Format"): four hex digits of length, themselves
 * included, then the payload; `0000` is a flush.
 */

/** A payload, or the end of a section. */
export type Packet = Buffer | 'flush';

const LARGEST_PACKET = 65_520;

export class PktLineError extends Error {
  override name = 'PktLineError';
}

export function encodePacket(payload: string): Buffer {
  const body = Buffer.from(payload);
  const length = body.length + 4;
  if (length > LARGEST_PACKET) throw new PktLineError(`a packet holds at most ${LARGEST_PACKET - 4} bytes`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(4, '0')), body]);
}

export const FLUSH_PACKET = Buffer.from('0000');

/** Cuts a byte stream that arrives in any pieces into packets. */
export class PacketDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and returns the packets that are complete now. Throws PktLineError on a bad length. */
  decode(bytes: Buffer): Packet[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const packets: Packet[] = [];
    while (this.#pending.length >= 4) {
      const length = parseLength(this.#pending.toString('latin1', 0, 4));
      if (length === 0) {
        packets.push('flush');
        this.#pending = this.#pending.subarray(4);
        continue;
      }
      if (this.#pending.length < length) break;
      packets.push(this.#pending.subarray(4, length));
      this.#pending = this.#pending.subarray(length);
    }
    return packets;
  }
}

function parseLength(digits: string): number {
  const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
  // 0001 to 0003 are protocol version 2's delimiters, which this conversation never has.
  const isAllowed = length === 0 || (length >= 4 && length <= LARGEST_PACKET);
  if (!isAllowed) throw new PktLineError(`"${digits}" is no packet length`);
  return length;
}
