import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../core/instant.ts';
import { readAccessLogLine } from './access-log-line.ts';

describe('a line of an access log', () => {
  test('tells who asked for what, the answer, its time, its giver, its size, the program and the trace', () => {
    // The example of AWS's page.
    expect(readAccessLogLine(lineOf({}))).toEqual({
      at: parseInstant('2018-07-02T22:23:00.186Z'),
      message:
        '192.168.131.39 "GET http://www.example.com:80/ HTTP/1.1" 200 in 1 ms by 10.0.0.1:80, 366 bytes, ' +
        '"curl/7.46.0", Root=1-58337262-36d228ad5d99923122bbe354',
    });
  });

  test('names what the load balancer did where no target answered', () => {
    const refused = { target: '-', times: '-1 -1 -1', statuses: '403 -', actions: 'waf' };
    expect(readAccessLogLine(lineOf(refused))!.message).toContain(
      'HTTP/1.1" 403 by the load balancer (waf), 366 bytes',
    );
  });

  test('has both answers where the target gave another', () => {
    const { message } = readAccessLogLine(lineOf({ statuses: '502 200' }))!;
    expect(message).toContain(' 502 (the target: 200) in 1 ms');
  });

  test('keeps the port out of an address of IPv6, and takes the request of one who spoke no HTTP', () => {
    const line = lineOf({ client: '[2001:db8::1]:2817', request: '- http://example.com:80- -' });
    expect(readAccessLogLine(line)!.message).toMatch(/^\[2001:db8::1\] "- http:\/\/example\.com:80- -" 200 /);
  });

  test.each([
    ['in the middle of the URL', { request: 'GET http://a/?q="x" HTTP/1.1' }],
    ['at the end of the URL', { request: 'GET http://a/" HTTP/1.1' }],
    ['in the program', { program: 'a "b"c' }],
    ['before a blank in the program', { program: 'a" - - arn "Root=forged" "-" "-" 0 - "waf' }],
    ['that never closes', { program: `${'"a'.repeat(30_000)} \\` }],
  ])('with a quotation mark %s has the request, the answer and its giver as they are', (_, parts) => {
    const { request = 'GET http://www.example.com:80/ HTTP/1.1' } = parts as Partial<Parts>;
    const { message } = readAccessLogLine(lineOf(parts))!;
    expect(message.startsWith(`192.168.131.39 "${request}" 200 in 1 ms by 10.0.0.1:80, 366 bytes, "`)).toBe(
      true,
    );
  });

  test.each(['', 'no', '"""', lineOf({}).slice(0, 90), lineOf({ time: 'yesterday' }), '\0'.repeat(100_000)])(
    'is known from what is none',
    line => {
      expect(readAccessLogLine(line)).toBeUndefined();
    },
  );
});

interface Parts {
  time: string;
  client: string;
  target: string;
  times: string;
  statuses: string;
  request: string;
  program: string;
  actions: string;
}

function lineOf({
  time = '2018-07-02T22:23:00.186641Z',
  client = '192.168.131.39:2817',
  target = '10.0.0.1:80',
  times = '0.000 0.001 0.000',
  statuses = '200 200',
  request = 'GET http://www.example.com:80/ HTTP/1.1',
  program = 'curl/7.46.0',
  actions = 'forward',
}: Partial<Parts>): string {
  return (
    `http ${time} app/my-loadbalancer/50dc6c495c0c9188 ${client} ${target} ${times} ${statuses} 34 366 "${request}" ` +
    `"${program}" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 ` +
    `"Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z "${actions}" "-" "-" ` +
    '"10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90'
  );
}
