import type { Packet } from './pkt-line.ts';

/** What a Git server says it has, before a fetch or a push (gitprotocol-http, "Smart Server Response"). */
export interface Advertisement {
  /** Ids by full ref name; without the peeled values of tags. */
  refs: ReadonlyMap<string, string>;
  capabilities: ReadonlySet<string>;
}

export class AdvertisementError extends Error {
  override name = 'AdvertisementError';
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Reads the answer to `GET info/refs?service=…`, packet by packet. Throws AdvertisementError on anything else. */
export function parseAdvertisement(
  packets: readonly Packet[],
  service: 'git-upload-pack' | 'git-receive-pack',
): Advertisement {
  const [announcement, flush, ...lines] = packets.map(packet =>
    packet === 'flush' ? 'flush' : packet.toString('utf8').replace(/\n$/, ''),
  );
  if (announcement !== `# service=${service}` || flush !== 'flush' || lines.at(-1) !== 'flush') {
    throw new AdvertisementError(`this is not the advertisement of ${service}`);
  }
  const refs = new Map<string, string>();
  let capabilities = new Set<string>();
  lines.slice(0, -1).forEach((line, index) => {
    const [text, features] = index === 0 ? line.split('\0', 2) : [line];
    if (features !== undefined) capabilities = new Set(features.split(' ').filter(word => word !== ''));
    if (text!.startsWith('shallow ')) return;
    const id = text!.split(' ', 1)[0]!;
    const name = text!.slice(id.length + 1);
    if (!OBJECT_ID.test(id) || name === '') {
      throw new AdvertisementError(`the advertisement of ${service} has the line ${JSON.stringify(text)}`);
    }
    // An empty repository has no ref to hang the capabilities on, and names none.
    if (name !== 'capabilities^{}' && !name.endsWith('^{}')) refs.set(name, id);
  });
  return { refs, capabilities };
}
