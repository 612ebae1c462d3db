import type { ServerResponse } from '../../platform/network.ts';

/** What git's own HTTP server sends: refs change, and a proxy must not remember them. */
export const NEVER_CACHE = {
  expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  pragma: 'no-cache',
  'cache-control': 'no-cache, max-age=0, must-revalidate',
};

/** A short answer for people; git clients show it behind `remote: `. Nothing where an answer has begun already. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const type = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, { ...type, ...NEVER_CACHE, ...headers });
  response.end(`${text}\n`);
}
