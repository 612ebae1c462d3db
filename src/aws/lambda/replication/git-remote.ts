/*
 * A repository over Git's smart HTTP protocol. What one repository sends for a fetch is what another takes for a push, so
 * a pack goes from one to the other as it is, byte for byte and never whole in memory: ids cannot change, and no size is
 * too large that passes within the time.
 */
import { TandemError } from '../../../core/error.ts';
import { fetchHttp } from '../../../platform/http.ts';
import { parseAdvertisement, type Advertisement } from '../../../wire/git/advertisement.ts';
import { encodePackRequest, PackReader } from '../../../wire/git/pack-fetch.ts';
import { PacketDecoder, type Packet } from '../../../wire/git/pkt-line.ts';
import type { CommandResult, RefCommand } from '../../../wire/git/proc-receive.ts';
import { encodePushCommands, parsePushReport } from '../../../wire/git/push-request.ts';

type Service = 'git-upload-pack' | 'git-receive-pack';

export interface GitRemote {
  /** For people: `us-west-2`. */
  name: string;
  /** Without a `/` at the end. */
  url: string;
  /** The header of that name, for a request that begins now. */
  authorization(): Promise<string>;
  /** Aborts what takes longer than there is time. */
  signal(): AbortSignal;
}

const AGENT = 'agent=tandem';
/** Servers tell Git from browsers by how it begins. */
const USER_AGENT = 'git/2.40.0 (tandem)';

/** Branches and tags by their full names. */
export async function readRefs(remote: GitRemote): Promise<Map<string, string>> {
  const { refs } = await advertisement(remote, 'git-upload-pack');
  return new Map(
    [...refs].filter(([name]) => name.startsWith('refs/heads/') || name.startsWith('refs/tags/')),
  );
}

/**
 * Makes, moves and deletes refs of `destination` as told, with whatever objects they need from `source`. A ref that is no
 * longer what its command says it was before stays as it is. Throws TandemError REPLICATION_REMOTE_FAILED; then nothing changed, or it
 * is not known what did.
 */
export async function copyRefs(
  source: GitRemote,
  destination: GitRemote,
  commands: readonly RefCommand[],
): Promise<CommandResult[]> {
  const receiver = await advertisement(destination, 'git-receive-pack');
  const commandBytes = encodePushCommands(
    commands,
    chosen(receiver, ['report-status', 'delete-refs', 'ofs-delta', 'object-format=sha1', AGENT]),
  );
  const wants = [...new Set(commands.flatMap(({ after }) => after ?? []))];
  const pack = wants.length === 0 ? undefined : await fetchPack(source, wants, receiver);
  const response = await request(destination, 'git-receive-pack', {
    headers: { 'content-type': 'application/x-git-receive-pack-request' },
    method: 'POST',
    body: ReadableStream.from(joined(commandBytes, pack)),
    duplex: 'half',
  });
  return read(destination, async () => parsePushReport(await collect(response)));
}

async function fetchPack(
  source: GitRemote,
  wants: readonly string[],
  receiver: Advertisement,
): Promise<AsyncIterable<Uint8Array>> {
  const sender = await advertisement(source, 'git-upload-pack');
  if (!sender.capabilities.has('side-band-64k')) throw failed(source, 'it does not speak side-band-64k');
  const offsets = receiver.capabilities.has('ofs-delta') ? ['ofs-delta'] : [];
  const response = await request(source, 'git-upload-pack', {
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
    method: 'POST',
    body: encodePackRequest({
      wants,
      haves: [...new Set(receiver.refs.values())],
      capabilities: chosen(sender, ['side-band-64k', 'no-progress', ...offsets, 'object-format=sha1', AGENT]),
    }),
  });
  return packBytes(source, response);
}

async function* packBytes(source: GitRemote, response: Response): AsyncGenerator<Uint8Array> {
  const reader = new PackReader();
  try {
    for await (const packet of packetsOf(response)) {
      const bytes = reader.accept(packet);
      if (bytes.length > 0) yield bytes;
    }
    reader.end();
  } catch (cause) {
    throw failed(source, messageOf(cause), cause);
  }
}

async function* joined(
  head: Uint8Array,
  tail: AsyncIterable<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array> {
  yield head;
  if (tail !== undefined) yield* tail;
}

async function advertisement(remote: GitRemote, service: Service): Promise<Advertisement> {
  const response = await request(remote, `info/refs?service=${service}`, {});
  return read(remote, async () => parseAdvertisement(await collect(response), service));
}

/** What both sides know. `agent` is said by who says it, not repeated. */
function chosen({ capabilities }: Advertisement, wanted: readonly string[]): string[] {
  return wanted.filter(capability =>
    capability === AGENT
      ? [...capabilities].some(offered => offered.startsWith('agent='))
      : capabilities.has(capability),
  );
}

interface GitRequest {
  method?: 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  duplex?: 'half';
}

async function request(remote: GitRemote, path: string, init: GitRequest): Promise<Response> {
  const response = await read(remote, async () =>
    fetchHttp(`${remote.url}/${path}`, {
      ...init,
      headers: { ...init.headers, authorization: await remote.authorization(), 'user-agent': USER_AGENT },
      signal: remote.signal(),
    }),
  );
  if (response.status === 200) return response;
  const text = (await response.text()).trim().slice(0, 200);
  throw failed(remote, `it answered ${path} with status ${response.status}${text === '' ? '' : `: ${text}`}`);
}

async function read<Result>(remote: GitRemote, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof TandemError ? cause : failed(remote, messageOf(cause), cause);
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message}: ${messageOf(thrown.cause)}` : thrown.message;
}

function failed(remote: GitRemote, why: string, cause?: unknown): TandemError {
  return new TandemError(
    'REPLICATION_REMOTE_FAILED',
    `The repository in ${remote.name} (${remote.url}) cannot be replicated now: ${why}. It is tried again.`,
    { kind: 'system', data: { region: remote.name, url: remote.url }, cause },
  );
}

async function collect(response: Response): Promise<Packet[]> {
  const packets: Packet[] = [];
  for await (const packet of packetsOf(response)) packets.push(packet);
  return packets;
}

async function* packetsOf(response: Response): AsyncGenerator<Packet> {
  const decoder = new PacketDecoder();
  for await (const chunk of response.body ?? []) yield* decoder.decode(Buffer.from(chunk));
}
