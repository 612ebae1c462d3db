import { isIP, type IncomingMessage, type ServerResponse } from '../platform/network.ts';

/**
 * Keeps web pages away from the control endpoint, which trusts whoever can reach it. A page of another site may
 * make a browser send requests here: those carry an `Origin` that is not ours (refused). It may also point its own
 * name at this address (DNS rebinding): then `Host` is a name instead of an address or `localhost` (refused).
 * Git, OCI clients, curl and the CLI send neither.
 */
export function refuseForeignPages(request: IncomingMessage, response: ServerResponse): boolean {
  const host = request.headers.host ?? '';
  const origin = request.headers.origin;
  const fault = !isOwnHost(host)
    ? `The name ${JSON.stringify(host)} is not one of this endpoint's; use its address.`
    : origin !== undefined && origin !== `http://${host}`
      ? `Requests from pages of ${origin} are not accepted.`
      : undefined;
  if (fault === undefined) return false;
  response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
  response.end(
    JSON.stringify({ error: { code: 'REQUEST_FOREIGN', message: fault, kind: 'user', data: {} } }),
  );
  return true;
}

function isOwnHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}
