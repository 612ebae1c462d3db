import { describe, expect, test } from 'vitest';
import { encodePacket, PacketDecoder, type Packet } from './pkt-line.ts';
import { encodeResults, ProcReceiveReader } from './proc-receive.ts';

const ZERO = '0'.repeat(40);
const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

describe('the proc-receive conversation', () => {
  test('agrees on what both know, then reads commands', () => {
    const { replies, request } = converse([
      'version=1\0push-options atomic something-new\n',
      'flush',
      `${OLD} ${NEW} refs/heads/main\n`,
      `${ZERO} ${NEW} refs/tags/v1`,
      `${OLD} ${ZERO} refs/heads/gone`,
      'flush',
      'an option',
      'flush',
    ]);
    expect(replies).toEqual(['version=1\0push-options atomic', 'flush']);
    expect(request).toEqual({
      commands: [
        { ref: 'refs/heads/main', before: OLD, after: NEW },
        { ref: 'refs/tags/v1', before: undefined, after: NEW },
        { ref: 'refs/heads/gone', before: OLD, after: undefined },
      ],
      atomic: true,
      pushOptions: ['an option'],
    });
  });

  test('expects no options where none were agreed on', () => {
    const { request } = converse(['version=1', 'flush', `${OLD} ${NEW} refs/heads/main`, 'flush']);
    expect(request).toMatchObject({ atomic: false, pushOptions: [] });
  });

  test('a refusal stays on its line', () => {
    const bytes = encodeResults([{ ref: 'refs/heads/a' }, { ref: 'refs/heads/b', refusal: 'two\nlines ' }]);
    expect(texts(new PacketDecoder().decode(bytes))).toEqual([
      'ok refs/heads/a',
      'ng refs/heads/b two lines',
      'flush',
    ]);
  });
});

function converse(lines: readonly string[]) {
  const reader = new ProcReceiveReader();
  const decoder = new PacketDecoder();
  const answers = lines.map(line => {
    const [packet] = line === 'flush' ? (['flush'] as const) : decoder.decode(encodePacket(line));
    return reader.accept(packet!);
  });
  const replies = answers.flatMap(({ reply }) => (reply ? texts(new PacketDecoder().decode(reply)) : []));
  return { replies, request: answers.at(-1)?.request };
}

function texts(packets: readonly Packet[]): string[] {
  return packets.map(packet => packet.toString());
}
