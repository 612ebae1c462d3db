import { expect, test } from 'vitest';
import { fieldValues } from './field-values.ts';

test.each([
  ['Host: shop\r\nUser-Agent: curl/8\r\n', ['shop', 'curl/8']],
  ['user-agent:curl/8 \t\r\nHOST:\t shop\r\n', ['shop', 'curl/8']],
  ['X-Host: no\r\nHosts: no\r\nHost : no\r\nX: Host: no\r\n', [undefined, undefined]],
  ['Host: first\r\nHost: second\r\n', ['first', undefined]],
  ['Host:\r\nUser-Agent: \xe9\x9b\r\n', ['', '\xe9\x9b']],
  ['User-Agent: longer than allowed\r\n\r\n', [undefined, 'longer than ']],
  ['Host', [undefined, undefined]],
  ['', [undefined, undefined]],
])('of %j', (lines, values) => {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines}Host: beyond\r\n`, 'latin1');
  const end = bytes.length - 'Host: beyond\r\n'.length;
  expect(fieldValues(bytes, 16, end, ['host', 'user-agent'], 12)).toEqual(values);
});
