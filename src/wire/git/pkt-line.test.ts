import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePacket, FLUSH_PACKET, PacketDecoder, PktLineError, type Packet } from './pkt-line.ts';

const packets = fc.array(fc.option(fc.string({ maxLength: 300 }), { nil: undefined }), { maxLength: 20 });

describe('pkt-line', () => {
  test('is read as it was written, however the bytes are cut', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.nat(40), { maxLength: 60 }), (payloads, cuts) => {
        const bytes = Buffer.concat(
          payloads.map(text => (text === undefined ? FLUSH_PACKET : encodePacket(text))),
        );
        const read = decodeInPieces(bytes, cuts);
        expect(read.map(packet => (packet === 'flush' ? undefined : packet.toString()))).toEqual(payloads);
      }),
    );
  });

  test('writes the length that the specification shows', () => {
    expect(encodePacket('a\n').toString()).toBe('0006a\n');
    expect(encodePacket('').toString()).toBe('0004');
  });

  test.each(['0001', '0002', '0003', 'zzzz', 'ffff', '-001'])('refuses the length %s', digits => {
    expect(() => new PacketDecoder().decode(Buffer.from(`${digits}rest`))).toThrow(PktLineError);
  });

  test('refuses to write more than a packet holds', () => {
    expect(() => encodePacket('x'.repeat(65_517))).toThrow(PktLineError);
    expect(encodePacket('x'.repeat(65_516))).toHaveLength(65_520);
  });
});

function decodeInPieces(bytes: Buffer, cuts: readonly number[]): Packet[] {
  const decoder = new PacketDecoder();
  const read: Packet[] = [];
  let position = 0;
  for (const size of cuts) {
    read.push(...decoder.decode(bytes.subarray(position, position + size)));
    position += size;
  }
  return [...read, ...decoder.decode(bytes.subarray(Math.min(position, bytes.length)))];
}
