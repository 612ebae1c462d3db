import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdvertisementError, parseAdvertisement } from './advertisement.ts';
import { encodePackRequest, PackFetchError, PackReader } from './pack-fetch.ts';
import { encodePacket, FLUSH_PACKET, PacketDecoder } from './pkt-line.ts';
import { encodePushCommands, parsePushReport, PushReportError } from './push-request.ts';

const ONE = '1'.repeat(40);
const TWO = '2'.repeat(40);
const ZERO = '0'.repeat(40);

describe('an advertisement', () => {
  const announcement = ['# service=git-upload-pack\n', ''];

  test('gives refs without peeled tags, and the capabilities', () => {
    const packets = decode([
      ...announcement,
      `${ONE} HEAD\0side-band-64k ofs-delta agent=git/2.39\n`,
      `${ONE} refs/heads/main\n`,
      `${TWO} refs/tags/v1\n`,
      `${ONE} refs/tags/v1^{}\n`,
      '',
    ]);
    const { refs, capabilities } = parseAdvertisement(packets, 'git-upload-pack');
    expect(Object.fromEntries(refs)).toEqual({ HEAD: ONE, 'refs/heads/main': ONE, 'refs/tags/v1': TWO });
    expect([...capabilities]).toEqual(['side-band-64k', 'ofs-delta', 'agent=git/2.39']);
  });

  test('of an empty repository has capabilities and no refs', () => {
    const packets = decode([...announcement, `${ZERO} capabilities^{}\0report-status\n`, '']);
    const { refs, capabilities } = parseAdvertisement(packets, 'git-upload-pack');
    expect(refs.size).toBe(0);
    expect([...capabilities]).toEqual(['report-status']);
  });

  test.each([
    ['nothing', []],
    ['another service', ['# service=git-receive-pack\n', '', '']],
    ['no end', [...announcement, `${ONE} HEAD\0a\n`]],
    ['a line that is none', [...announcement, 'hello world\0a\n', '']],
  ])('is refused with %s', (_what, lines) => {
    expect(() => parseAdvertisement(decode(lines), 'git-upload-pack')).toThrow(AdvertisementError);
  });
});

describe('a fetch', () => {
  test('says what is wanted, what is there, and that this is all', () => {
    const request = encodePackRequest({ wants: [ONE, TWO], haves: [TWO], capabilities: ['ofs-delta'] });
    expect(text(request)).toEqual([
      `want ${ONE} ofs-delta\n`,
      `want ${TWO}\n`,
      '',
      `have ${TWO}\n`,
      'done\n',
    ]);
  });

  test('takes the pack out of the answer, whatever bytes it has', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), pieces => {
        const reader = new PackReader();
        const read = [
          Buffer.from('NAK\n'),
          ...pieces.map(piece => Buffer.concat([Buffer.from([1]), piece])),
          Buffer.from('\x02counting'),
        ].map(packet => reader.accept(packet));
        reader.accept('flush');
        reader.end();
        expect(Buffer.concat(read)).toEqual(Buffer.concat(pieces));
      }),
    );
  });

  test.each([
    ['an error instead of an answer', ['ERR upload-pack: not our ref\n'], 'upload-pack: not our ref'],
    ['an error in the midst', ['NAK\n', '\x01PACK', '\x03out of memory\n'], 'out of memory'],
    ['no end', ['NAK\n', '\x01PACK'], 'the answer ended before the pack did'],
    ['nothing', [], 'the answer ended before the pack did'],
  ])('is refused with %s', (_what, lines, message) => {
    const reader = new PackReader();
    expect(() => {
      for (const line of lines) reader.accept(Buffer.from(line));
      reader.end();
    }).toThrow(new PackFetchError(message));
  });
});

describe('a push', () => {
  test('creates, moves and deletes', () => {
    const commands = encodePushCommands(
      [
        { ref: 'refs/heads/new', before: undefined, after: ONE },
        { ref: 'refs/heads/main', before: ONE, after: TWO },
        { ref: 'refs/tags/gone', before: TWO, after: undefined },
      ],
      ['report-status'],
    );
    expect(text(commands)).toEqual([
      `${ZERO} ${ONE} refs/heads/new\0report-status`,
      `${ONE} ${TWO} refs/heads/main`,
      `${TWO} ${ZERO} refs/tags/gone`,
      '',
    ]);
  });

  test('is told what became of each ref', () => {
    const report = decode(['unpack ok\n', 'ok refs/heads/a\n', 'ng refs/heads/b failed to update ref\n', '']);
    expect(parsePushReport(report)).toEqual([
      { ref: 'refs/heads/a' },
      { ref: 'refs/heads/b', refusal: 'failed to update ref' },
    ]);
  });

  test.each([
    ['no report', [], 'there is no report'],
    [
      'a pack that was not taken',
      ['unpack index-pack abnormal exit\n', ''],
      'unpack index-pack abnormal exit',
    ],
    [
      'a line that is none',
      ['unpack ok\n', 'perhaps refs/heads/a\n', ''],
      'the report has the line "perhaps refs/heads/a"',
    ],
  ])('is not believed with %s', (_what, lines, message) => {
    expect(() => parsePushReport(decode(lines))).toThrow(new PushReportError(message));
  });
});

/** An empty text is a flush. */
function decode(lines: readonly string[]) {
  return new PacketDecoder().decode(
    Buffer.concat(lines.map(line => (line === '' ? FLUSH_PACKET : encodePacket(line)))),
  );
}

function text(bytes: Buffer): string[] {
  return new PacketDecoder().decode(bytes).map(packet => (packet === 'flush' ? '' : packet.toString()));
}
