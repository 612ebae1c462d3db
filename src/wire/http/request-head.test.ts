import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INCOMPLETE, MALFORMED } from './message-head.ts';
import { RequestHead } from './request-head.ts';

describe('a request head', () => {
  it('tells method, target, version and framing', () => {
    const head = parsed(
      'POST /orders?id=1 HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 12\r\n\r\nbody',
    );
    expect(head).toMatchObject({ minorVersion: 1, contentLength: 12, isChunked: false, isIdempotent: false });
    expect(head.end).toBe(
      head.start +
        'POST /orders?id=1 HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 12\r\n\r\n'.length,
    );
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])('takes %s for idempotent', method => {
    expect(parsed(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).isIdempotent).toBe(true);
  });

  it.each(['POST', 'PATCH', 'get', 'GETS'])('does not take %s for idempotent', method => {
    expect(parsed(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).isIdempotent).toBe(false);
  });

  it('skips empty lines before the request line', () => {
    expect(parsed('\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n').start).toBe(4);
  });

  it('reads field names in any case, and values without the space around them', () => {
    const head = parsed(
      'PUT / HTTP/1.1\r\nhOsT:a\r\nCONTENT-LENGTH: \t 7 \t\r\nExpect: 100-Continue\r\n\r\n',
    );
    expect(head).toMatchObject({ contentLength: 7, hasExpectContinue: true });
  });

  it('counts the addresses of every X-Forwarded-For', () => {
    const head = parsed(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nx-forwarded-for: 3.3.3.3\r\n\r\n',
    );
    expect(head.forwardedForCount).toBe(3);
  });

  it.each([
    ['both framings', 'Content-Length: 3\r\nTransfer-Encoding: chunked'],
    ['two equal lengths', 'Content-Length: 3\r\nContent-Length: 3'],
    ['two different lengths', 'Content-Length: 3\r\nContent-Length: 4'],
    ['a list of lengths', 'Content-Length: 3, 3'],
    ['a signed length', 'Content-Length: +3'],
    ['a negative length', 'Content-Length: -3'],
    ['a hexadecimal length', 'Content-Length: 0x3'],
    ['an empty length', 'Content-Length:'],
    ['a length beyond exact numbers', 'Content-Length: 99999999999999999999'],
    ['another coding', 'Transfer-Encoding: gzip'],
    ['codings in a row', 'Transfer-Encoding: gzip, chunked'],
    ['a disguised chunked', 'Transfer-Encoding: xchunked'],
    ['chunked with a quote', 'Transfer-Encoding: "chunked"'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
    ['chunked with a vertical tab', 'Transfer-Encoding:\vchunked'],
    ['a space before the colon', 'Content-Length : 3'],
    ['a tab before the colon', 'Transfer-Encoding\t: chunked'],
    ['a folded line', 'X-A: b\r\n c: d'],
    ['a folded first line', ' X-A: b'],
    ['a bare line feed', 'X-A: b\nContent-Length: 3'],
    ['a bare carriage return', 'X-A: b\rContent-Length: 3'],
    ['a zero byte', 'X-A: b\0c'],
    ['an empty name', ': b'],
    ['a name with a space', 'X A: b'],
    ['a line without a colon', 'nonsense'],
    ['a second Host', 'Host: b'],
  ])('is refused with %s', (_, lines) => {
    expect(parse(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`)).toBe(MALFORMED);
  });

  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a Host with a user', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'],
    ['two hosts in one', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n'],
    ['a lower-case version', 'GET / http/1.1\r\nHost: a\r\n\r\n'],
    ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a space after the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n'],
    ['a relative target', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
    ['a target with a user', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an odd method', 'G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['lines that end with line feeds', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00'],
  ])('is refused with %s', (_, text) => {
    expect(parse(text)).toBe(MALFORMED);
  });

  it('is incomplete, and nothing else, at every byte before its end', () => {
    const text = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n';
    for (let length = 0; length < text.length; length += 1)
      expect(parse(text.slice(0, length))).toBe(INCOMPLETE);
    expect(parse(text)).toBe(text.length);
  });

  it('reads the same however its bytes are split', () => {
    fc.assert(
      fc.property(anyHead(), fc.array(fc.nat({ max: 400 }), { maxLength: 12 }), (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1');
        const whole = new RequestHead();
        const expected = whole.parse(bytes, 0, bytes.length);
        const pieces = new RequestHead();
        let result = INCOMPLETE;
        for (const end of [
          ...cuts.filter(cut => cut < bytes.length).toSorted((a, b) => a - b),
          bytes.length,
        ]) {
          if (result === INCOMPLETE) result = pieces.parse(bytes, 0, end);
        }
        expect(result).toBe(expected);
        if (expected > 0) expect(facts(pieces)).toEqual(facts(whole));
      }),
      { numRuns: 2_000 },
    );
  });
});

function parse(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return new RequestHead().parse(bytes, 0, bytes.length);
}

function parsed(text: string): RequestHead {
  const bytes = Buffer.from(text, 'latin1');
  const head = new RequestHead();
  expect(head.parse(bytes, 0, bytes.length)).toBeGreaterThan(0);
  return head;
}

function facts(head: RequestHead) {
  const { drops, dropCount, ...rest } = head;
  return { ...rest, dropped: drops.slice(0, dropCount) };
}

/** Heads that are right, and heads that one thing is wrong with. */
function anyHead(): fc.Arbitrary<string> {
  const line = fc.constantFrom(
    'Host: a\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: keep-alive, X-Drop, Upgrade\r\n',
    'Connection: close\r\n',
    'Upgrade: websocket\r\n',
    'X-Drop: 1\r\n',
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n',
    'TE: trailers\r\n',
    'Cookie: a=b; c=d\r\n',
    'X-Folded: a\r\n b\r\n',
    'X-Bare: a\nb\r\n',
    'Odd : a\r\n',
    'X-Text: caf\xe9\r\n',
  );
  const requestLine = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    '\r\nHEAD /a?b=c HTTP/1.1\r\n',
    'POST http://b.example/x HTTP/1.1\r\n',
    'PUT /x HTTP/1.0\r\n',
    'GET /x HTTP/1.1\n',
  );
  return fc
    .tuple(requestLine, fc.array(line, { maxLength: 8 }))
    .map(
      ([first, lines]) => `${first}Host: a\r\n${lines.filter(text => text !== 'Host: a\r\n').join('')}\r\n`,
    );
}
