import { describe, expect, test } from 'vitest';
import { encodePacket, PacketDecoder, type Packet } from './pkt-line.ts';
import { encodeResults, HOOK_GREETING, ProcReceiveReader } from './proc-receive.ts';

const ZERO = '0'.repeat(40);
const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

describe('the proc-receive conversation', () => {
  test('names the refs to be made, moved and deleted', () => {
    const request = read([
      'version=1\0push-options atomic something-new\n',
      'flush',
      `${OLD} ${NEW} refs/heads/main\n`,
      `${ZERO} ${NEW} refs/tags/v1`,
      `${OLD} ${ZERO} refs/heads/gone`,
      'flush',
      'an option',
      'flush',
    ]);
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

  test('has no options where none were offered', () => {
    const request = read(['version=1', 'flush', `${OLD} ${NEW} refs/heads/main`, 'flush']);
    expect(request).toMatchObject({ atomic: false, pushOptions: [] });
  });

  test('begins with a greeting of the right length', () => {
    const bytes = Buffer.from(HOOK_GREETING.replace('\\000', '\0'));
    expect(texts(new PacketDecoder().decode(bytes))).toEqual(['version=1\0push-options atomic', 'flush']);
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

function read(lines: readonly string[]) {
  const reader = new ProcReceiveReader();
  const decoder = new PacketDecoder();
  const answers = lines.map(line => {
    const [packet] = line === 'flush' ? (['flush'] as const) : decoder.decode(encodePacket(line));
    return reader.accept(packet!);
  });
  expect(answers.slice(0, -1).every(answer => answer === undefined)).toBe(true);
  return answers.at(-1);
}

function texts(packets: readonly Packet[]): string[] {
  return packets.map(packet => packet.toString());
}
