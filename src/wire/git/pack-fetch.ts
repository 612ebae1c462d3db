/**
 * A fetch in one request (gitprotocol-http, protocol version 0): all that is wanted, all that the receiver has, and
 * `done`, so that the server answers with the pack at once.
 */
import { encodePacket, FLUSH_PACKET, type Packet } from './pkt-line.ts';

export interface PackRequest {
  /** Ids that the server advertises; at least one. */
  wants: readonly string[];
  /** Ids that the receiver has; those that the server does not know are passed over. */
  haves: readonly string[];
  /** Of those that the server advertises. */
  capabilities: readonly string[];
}

export class PackFetchError extends Error {
  override name = 'PackFetchError';
}

export function encodePackRequest({ wants, haves, capabilities }: PackRequest): Buffer<ArrayBuffer> {
  return Buffer.concat([
    ...wants.map((id, index) =>
      encodePacket(index === 0 ? `want ${id} ${capabilities.join(' ')}\n` : `want ${id}\n`),
    ),
    FLUSH_PACKET,
    ...haves.map(id => encodePacket(`have ${id}\n`)),
    encodePacket('done\n'),
  ]);
}

const BAND = { data: 1, progress: 2, error: 3 } as const;

/** Takes the pack out of an answer that was asked for with `side-band-64k`. */
export class PackReader {
  #hasBegun = false;
  #hasEnded = false;

  /** The bytes of the pack that this packet carries. Throws PackFetchError with what the server said went wrong. */
  accept(packet: Packet): Buffer {
    if (packet === 'flush') {
      this.#hasEnded = this.#hasBegun;
      return Buffer.alloc(0);
    }
    const band = packet[0];
    if (!this.#hasBegun && band !== undefined && band > BAND.error) return acknowledgement(packet);
    if (band === BAND.error) throw new PackFetchError(packet.toString('utf8', 1).trim());
    this.#hasBegun = true;
    return band === BAND.data ? packet.subarray(1) : Buffer.alloc(0);
  }

  /** Throws where the answer stopped early; without its end a pack must not be believed. */
  end(): void {
    if (!this.#hasEnded) throw new PackFetchError('the answer ended before the pack did');
  }
}

/** `ACK <id>` or `NAK`: what both have is the server's affair; an error ends it all. */
function acknowledgement(packet: Buffer): Buffer {
  const line = packet.toString('utf8').trim();
  if (line === 'NAK' || line.startsWith('ACK ')) return Buffer.alloc(0);
  throw new PackFetchError(line.replace(/^ERR /, ''));
}
