import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedBody } from './chunked-body.ts';

describe('a chunked body', () => {
  it('ends with the empty chunk and what follows it, and nothing later', () => {
    const { body, consumed } = follow('5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1');
    expect(body.isDone).toBe(true);
    expect(consumed).toBe('5\r\nhello\r\n0\r\n\r\n'.length);
    expect(body.dataBytes).toBe(5);
  });

  it('may have extensions and trailers', () => {
    const text = '5;name="value"\r\nhello\r\n000\r\nX-Sum: abc\r\nX-Other: d\r\n\r\n';
    const { body, consumed } = follow(text);
    expect(body.isDone).toBe(true);
    expect(consumed).toBe(text.length);
  });

  it.each([
    ['no size', '\r\nhello'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a size that overflows', '100000000000005\r\nhello\r\n0\r\n\r\n'],
    ['a line feed alone after the size', '5\nhello\r\n0\r\n\r\n'],
    ['a line feed alone in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
    ['a carriage return alone', '5\rhello\r\n0\r\n\r\n'],
    ['more data than its size', '4\r\nhello\r\n0\r\n\r\n'],
    ['less data than its size', '6\r\nhello\r\n0\r\n\r\n'],
    ['no line end after the data', '5\r\nhello0\r\n\r\n'],
    ['a trailer that frames', '0\r\nContent-Length: 5\r\n\r\n'],
    ['a trailer that frames, in odd case', '0\r\ntransfer-ENCODING: chunked\r\n\r\n'],
    ['a trailer that names the host', '0\r\nHost: b\r\n\r\n'],
    ['a trailer with a space before the colon', '0\r\nX : a\r\n\r\n'],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
    ['endless extensions', `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ['endless trailers', `0\r\n${'X: y\r\n'.repeat(10_000)}\r\n`],
  ])('is refused with %s', (_, text) => {
    expect(follow(text).body.hasFailed).toBe(true);
  });

  it('gives back what was put in, however it was chunked and however it arrives', () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 });
    const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(chunks, cuts, fc.string({ maxLength: 20 }), (data, positions, rest) => {
        const encoded = Buffer.concat([...data.map(encode), Buffer.from('0\r\nX-Sum: 1\r\n\r\n')]);
        const bytes = Buffer.concat([encoded, Buffer.from(rest)]);
        const body = new ChunkedBody();
        const received: Buffer[] = [];
        let at = 0;
        const ends = [...positions.filter(cut => cut < bytes.length), bytes.length].toSorted((a, b) => a - b);
        for (const end of ends) {
          if (end <= at || body.isDone) continue;
          at = body.advance(bytes, at, end, (from, to) => received.push(bytes.subarray(from, to)));
        }
        expect(body.isDone).toBe(true);
        expect(at).toBe(encoded.length);
        expect(Buffer.concat(received).equals(Buffer.concat(data))).toBe(true);
        expect(body.dataBytes).toBe(Buffer.concat(data).length);
      }),
    );
  });

  it('starts anew after a reset', () => {
    const body = new ChunkedBody();
    const bytes = Buffer.from('5\r\nhello\r\n0\r\nX: y\r\n\r\n');
    body.advance(bytes, 0, 12);
    body.reset();
    expect(body.advance(bytes, 0, bytes.length)).toBe(bytes.length);
    expect(body).toMatchObject({ isDone: true, dataBytes: 5 });
  });
});

function follow(text: string): { body: ChunkedBody; consumed: number } {
  const bytes = Buffer.from(text, 'latin1');
  const body = new ChunkedBody();
  return { body, consumed: body.advance(bytes, 0, bytes.length) };
}

function encode(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
}
