import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import {
  FORWARDED_HEAD_GROWTH,
  forwardingFields,
  writeForwardedRequest,
  writeForwardedResponse,
  type ConnectionField,
} from './forward-head.ts';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';

const TRACE = 'X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793';
const TRACEPARENT = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a forwarded request', () => {
  it('keeps every line that is the target’s, as it was written', () => {
    const lines = forward(
      `GET /a HTTP/1.1\r\nhOST: a\r\nX-Odd:   value  \r\n${TRACE}\r\n${TRACEPARENT}\r\n\r\n`,
    );
    expect(lines).toEqual([
      'GET /a HTTP/1.1',
      'hOST: a',
      'X-Odd:   value  ',
      TRACE,
      TRACEPARENT,
      'X-Forwarded-For: 10.1.2.3',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
    ]);
  });

  it('loses what was said between client and proxy', () => {
    const lines = forward(
      'GET / HTTP/1.1\r\nConnection: keep-alive, X-Hop\r\nHost: a\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
        'Proxy-Connection: keep-alive\r\nX-Hop: 1\r\nUpgrade: h2c\r\nX-Stay: 1\r\n\r\n',
    );
    expect(names(lines)).toEqual(['Host', 'X-Stay', ...ADDED]);
  });

  it.each(['Host', 'Content-Length', 'Authorization', 'Cookie'])(
    'keeps %s whatever Connection lists',
    name => {
      const value = name === 'Content-Length' ? '5' : 'a';
      const host = name === 'Host' ? '' : 'Host: a\r\n';
      const lines = forward(`PUT / HTTP/1.1\r\n${host}Connection: ${name}\r\n${name}: ${value}\r\n\r\n`);
      expect(lines).toContain(`${name}: ${value}`);
    },
  );

  it('appends the client to X-Forwarded-For, and says itself what protocol and port were used', () => {
    const lines = forward(
      'GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n\r\n',
    );
    expect(lines.filter(line => line.startsWith('X-Forwarded'))).toEqual([
      'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.1.2.3',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Port: 8080',
    ]);
  });

  it('turns the absolute form into the origin form, with its host', () => {
    const lines = forward('GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\nX-Stay: 1\r\n\r\n');
    expect(lines.slice(0, 3)).toEqual(['GET /x?y HTTP/1.1', 'Host: b.example:81', 'X-Stay: 1']);
    expect(forward('OPTIONS http://b.example HTTP/1.1\r\nHost: a\r\n\r\n')[0]).toBe('OPTIONS / HTTP/1.1');
    expect(forward('GET http://b.example?q HTTP/1.1\r\nHost: a\r\n\r\n')[0]).toBe('GET /?q HTTP/1.1');
  });

  it('is HTTP/1.1 with a Host where the client spoke HTTP/1.0', () => {
    const lines = forward('GET /x HTTP/1.0\r\nX-Stay: 1\r\n\r\n');
    expect(lines.slice(0, 3)).toEqual(['GET /x HTTP/1.1', 'Host: 127.0.0.1:8080', 'X-Stay: 1']);
  });

  it('passes an upgrade on', () => {
    const lines = forward('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    expect(lines).toEqual(expect.arrayContaining(['Upgrade: websocket', 'Connection: Upgrade']));
  });

  it('begins one trace in both notations', () => {
    const lines = forward('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [, time, rest] = /^X-Amzn-Trace-Id: Root=1-([0-9a-f]{8})-([0-9a-f]{24})$/.exec(lines.at(-2)!)!;
    const [, trace] = /^traceparent: 00-([0-9a-f]{32})-[0-9a-f]{16}-01$/.exec(lines.at(-1)!)!;
    expect(Number.parseInt(time!, 16)).toBe(1_764_000_000);
    expect(trace).toBe(`${time}${rest}`);
  });

  it('gives the trace that came in one notation in the other one too', () => {
    expect(forward(`GET / HTTP/1.1\r\nHost: a\r\n${TRACEPARENT}\r\n\r\n`)).toContain(
      'X-Amzn-Trace-Id: Root=1-0af76519-16cd43dd8448eb211c80319c',
    );
    expect(forward(`GET / HTTP/1.1\r\nHost: a\r\n${TRACE}\r\n\r\n`).at(-1)).toMatch(
      /^traceparent: 00-5759e988bd862e3fe1be46a994272793-[0-9a-f]{16}-01$/,
    );
  });

  it('is a head that reads as the original did', () => {
    fc.assert(
      fc.property(fieldLines(), fc.constantFrom('GET', 'POST', 'DELETE'), target(), (lines, method, path) => {
        const original = `${method} ${path} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`;
        const forwarded = forward(original);
        expect(forwarded[0]).toBe(`${method} ${path} HTTP/1.1`);
        const kept = lines.map(line => line.trimEnd()).filter(line => !/^connection:/i.test(line));
        expect(forwarded.slice(1, 2 + kept.length).map(line => line.trimEnd())).toEqual(['Host: a', ...kept]);
        expect(names(forwarded.slice(2 + kept.length))).toEqual(ADDED);
        forward(`${forwarded.join('\r\n')}\r\n\r\n`);
      }),
    );
  });
});

describe('a forwarded response', () => {
  it('loses what was said between target and proxy', () => {
    const lines = respond(
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Stay: 1\r\nContent-Length: 2\r\n\r\n',
    );
    expect(lines).toEqual(['HTTP/1.1 200 OK', 'X-Stay: 1', 'Content-Length: 2']);
  });

  it('is HTTP/1.1 whatever the target speaks', () => {
    expect(respond('HTTP/1.0 404 Not Found\r\nX: 1\r\n\r\n')).toEqual(['HTTP/1.1 404 Not Found', 'X: 1']);
  });

  it('says what becomes of the connection', () => {
    expect(respond('HTTP/1.1 204\r\n\r\n', 'close')).toEqual(['HTTP/1.1 204', 'Connection: close']);
    expect(respond('HTTP/1.1 204\r\n\r\n', 'keep-alive')).toEqual(['HTTP/1.1 204', 'Connection: keep-alive']);
  });
});

const ADDED = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Amzn-Trace-Id', 'traceparent'];

function forward(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const head = new RequestHead();
  expect(head.parse(bytes, 0, bytes.length)).toBe(bytes.length);
  const fields = forwardingFields('10.1.2.3', 'http', 8080);
  const host = '127.0.0.1:8080';
  const out = Buffer.alloc(bytes.length + FORWARDED_HEAD_GROWTH + fields.all.length + host.length);
  const end = writeForwardedRequest(head, bytes, out, 0, fields, host, 1_764_000_000_000, seededRandom(1));
  return linesOf(out.toString('latin1', 0, end));
}

function respond(text: string, connection: ConnectionField = 'none'): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const head = new ResponseHead();
  expect(head.parse(bytes, 0, bytes.length)).toBe(bytes.length);
  const out = Buffer.alloc(bytes.length + FORWARDED_HEAD_GROWTH);
  return linesOf(out.toString('latin1', 0, writeForwardedResponse(head, bytes, out, 0, connection)));
}

function linesOf(head: string): string[] {
  expect(head.endsWith('\r\n\r\n')).toBe(true);
  return head.slice(0, -4).split('\r\n');
}

function names(lines: readonly string[]): string[] {
  return lines.filter(line => line.includes(': ')).map(line => line.slice(0, line.indexOf(':')));
}

function fieldLines(): fc.Arbitrary<string[]> {
  const name = fc
    .stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/)
    .filter(text => !/^x-(amzn|forwarded)/i.test(text));
  const value = fc.stringMatching(/^[!-~\x80-\xff]([ -~\x80-\xff]{0,20}[!-~\x80-\xff])?$/);
  const line = fc.tuple(name, value).map(([key, text]) => `${key}: ${text}\r\n`);
  return fc.array(fc.oneof({ weight: 5, arbitrary: line }, fc.constant('Connection: close\r\n')), {
    maxLength: 10,
  });
}

function target(): fc.Arbitrary<string> {
  return fc.stringMatching(/^\/[!-~]{0,30}$/);
}
