import type { RegionName } from '../../model/names.ts';
import { equalSecrets } from '../../platform/hash.ts';
import type { IncomingMessage } from '../../platform/network.ts';
import type { ServiceContext } from '../context.ts';
import { REGION_HEADER } from './peer-messages.ts';

/** Who sent a request: a person's client, or another region of this cloud. */
export type Sender =
  { kind: 'client'; address: string } | { kind: 'region'; region: RegionName } | { kind: 'impostor' };

/** Another region proves itself by the internal token. */
export function senderOf(
  request: IncomingMessage,
  context: Pick<ServiceContext, 'peers' | 'internalToken'>,
): Sender {
  const region = request.headers[REGION_HEADER];
  if (region === undefined)
    return { kind: 'client', address: request.socket.remoteAddress ?? 'an unknown address' };
  const isTrusted = equalSecrets(request.headers.authorization ?? '', `Bearer ${context.internalToken}`);
  const peer = context.peers.find(candidate => candidate.region === region);
  return isTrusted && peer ? { kind: 'region', region: peer.region } : { kind: 'impostor' };
}
