import { describe, expect, it } from 'vitest';
import { INCOMPLETE, MALFORMED } from './message-head.ts';
import { ResponseHead } from './response-head.ts';

describe('a response head', () => {
  it('tells status, framing and how long the target keeps the connection', () => {
    const head = new ResponseHead();
    const text =
      'HTTP/1.1 201 Created\r\nContent-Length: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=72, max=9\r\n\r\n';
    expect(parse(text, head)).toBe(text.length);
    expect(head).toMatchObject({
      status: 201,
      contentLength: 5,
      hasConnectionKeepAlive: true,
      hasConnectionClose: false,
      keepAliveTimeoutMs: 72_000,
      isInterim: false,
    });
  });

  it.each(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'])(
    'is interim: %j',
    text => {
      const head = new ResponseHead();
      expect(parse(text, head)).toBe(text.length);
      expect(head.isInterim).toBe(true);
    },
  );

  it('may lack a reason, with or without the space before it', () => {
    expect(parse('HTTP/1.1 200 \r\n\r\n')).toBeGreaterThan(0);
    expect(parse('HTTP/1.1 200\r\n\r\n')).toBeGreaterThan(0);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a short status', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of nothing', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nX: a\n\n'],
  ])('is refused with %s', (_, text) => {
    expect(parse(text)).toBe(MALFORMED);
  });

  it('is incomplete at every byte before its end', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n';
    for (let length = 0; length < text.length; length += 1)
      expect(parse(text.slice(0, length))).toBe(INCOMPLETE);
  });
});

function parse(text: string, head = new ResponseHead()): number {
  const bytes = Buffer.from(text, 'latin1');
  return head.parse(bytes, 0, bytes.length);
}
