import type { RefPush, RefStates, VersionAdoption } from '../../control/replication/decide.ts';
import { SECOND_MS } from '../../core/duration.ts';
import { TandemError, errorMessage } from '../../core/error.ts';
import type { CommitId } from '../../model/names.ts';
import { httpRequest } from '../../platform/network.ts';
import type { Peer, ServiceContext } from '../context.ts';
import { gitComplaint, type Git } from './git.ts';
import { decodeRefStates, encodeAdoptions, encodeVersionOption, REGION_HEADER } from './peer-messages.ts';

/** For the small messages; git's own transfers end after half a minute without a byte. */
const ANSWER_LIMIT_MS = 5 * SECOND_MS;
const SILENCE_LIMIT_SECONDS = 30;
const LARGEST_ANSWER_BYTES = 256 * 1024 * 1024;

/** For each ref, the reason why the peer refused it; refs that it took are not in the map. */
type PushRefusals = ReadonlyMap<string, string>;

/** Everything that one region asks of another. Every method throws PEER_UNREACHABLE where the peer gives no answer. */
export interface PeerClient {
  readonly peer: Peer;
  readonly gitUrl: string;
  /** `undefined` where the peer's states have this digest. */
  listRefs(knownDigest: string, signal: AbortSignal): Promise<RefStates | undefined>;
  adopt(adoptions: readonly VersionAdoption[], signal: AbortSignal): Promise<void>;
  push(pushes: readonly RefPush[], options: { atomic: boolean; signal: AbortSignal }): Promise<PushRefusals>;
  /** Gets the objects of a ref of the peer, without any ref here. */
  fetch(id: CommitId, signal: AbortSignal): Promise<void>;
}

export function createPeerClient(
  context: Pick<ServiceContext, 'region' | 'config' | 'internalToken'>,
  git: Git,
  peer: Peer,
): PeerClient {
  const gitUrl = `${peer.endpoint}/git/${context.config.application}.git`;
  const credentials = {
    authorization: `Bearer ${context.internalToken}`,
    [REGION_HEADER]: context.region,
  };
  const environment = transferSettings(git, credentials);
  const gitOptions = (signal: AbortSignal) => ({ signal, environment });

  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    options: { headers?: Record<string, string>; body?: string; signal: AbortSignal },
  ) => {
    const url = `${peer.endpoint}/internal/repository/${path}`;
    try {
      const answer = await exchange(url, method, { ...credentials, ...options.headers }, options);
      if (answer.status < 400) return answer;
      throw new Error(`it answered ${answer.status} ${answer.text.trim().slice(0, 200)}`);
    } catch (error) {
      throw unreachablePeer(peer, errorMessage(error), error);
    }
  };

  return {
    peer,
    gitUrl,
    async listRefs(knownDigest, signal) {
      const answer = await ask('GET', 'refs', { headers: { 'if-none-match': knownDigest }, signal });
      if (answer.status === 304) return undefined;
      try {
        return decodeRefStates(answer.text);
      } catch (error) {
        throw unreachablePeer(peer, 'its answer is not a list of refs', error);
      }
    },
    async adopt(adoptions, signal) {
      await ask('POST', 'versions', { body: encodeAdoptions(adoptions), signal });
    },
    async push(pushes, { atomic, signal }) {
      const { stdout, stderr } = await git.run(pushArguments(gitUrl, pushes, atomic), gitOptions(signal));
      const answers = parsePushAnswers(stdout);
      if (answers.size === 0) throw unreachablePeer(peer, gitComplaint(stderr));
      return new Map(
        pushes.flatMap(({ ref }) => {
          const reason = answers.has(ref) ? answers.get(ref) : 'the push ended before its turn';
          return reason === undefined ? [] : [[ref, reason] as const];
        }),
      );
    },
    async fetch(id, signal) {
      const argv = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
      const { exitCode, stderr } = await git.run([...argv, gitUrl, id], gitOptions(signal));
      if (exitCode !== 0) throw unreachablePeer(peer, gitComplaint(stderr));
    },
  };
}

/**
 * The lease makes the peer's git refuse where the ref is not at the value that the decision was made on; the version
 * option lets the peer's region process check the rest.
 */
function pushArguments(gitUrl: string, pushes: readonly RefPush[], atomic: boolean): string[] {
  return [
    'push',
    '--porcelain',
    '--no-verify',
    ...(atomic ? ['--atomic'] : []),
    ...pushes.map(({ ref, expected }) => `--force-with-lease=${ref}:${expected ?? ''}`),
    ...pushes.map(({ ref, version }) => `--push-option=${encodeVersionOption(ref, version)}`),
    gitUrl,
    ...pushes.map(({ ref, id }) => `${id ?? ''}:${ref}`),
  ];
}

/** Lines of `git push --porcelain`: flag, tab, `from:to`, tab, summary. */
function parsePushAnswers(stdout: string): Map<string, string | undefined> {
  const answers = new Map<string, string | undefined>();
  for (const line of stdout.split('\n')) {
    const [, flag, ref, summary = ''] = /^([ +\-*=!])\t[^\t]*:([^\t]+)\t(.*)$/.exec(line) ?? [];
    if (ref !== undefined) answers.set(ref, flag === '!' ? reasonIn(summary) : undefined);
  }
  return answers;
}

function reasonIn(summary: string): string {
  return /\((.*)\)$/.exec(summary)?.[1] ?? summary;
}

/** Through the environment, because everybody on the machine can read arguments. */
function transferSettings(git: Git, headers: Record<string, string>): Record<string, string> {
  const settings = [
    ['safe.directory', git.repositoryPath] as const,
    ...Object.entries(headers).map(([name, value]) => ['http.extraHeader', `${name}: ${value}`] as const),
    ['http.lowSpeedLimit', '1'] as const,
    ['http.lowSpeedTime', String(SILENCE_LIMIT_SECONDS)] as const,
    ['http.proxy', ''] as const,
  ];
  return {
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

function exchange(
  url: string,
  method: string,
  headers: Record<string, string>,
  options: { body?: string; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    const request = httpRequest(url, { method, headers, signal, timeout: ANSWER_LIMIT_MS }, response => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > LARGEST_ANSWER_BYTES) request.destroy(new Error('its answer is too long'));
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)));
    request.on('error', reject);
    request.end(options.body);
  });
}

function unreachablePeer(peer: Peer, reason: string, cause?: unknown): TandemError {
  return new TandemError(
    'PEER_UNREACHABLE',
    `${peer.region} (${peer.endpoint}) could not be reached: ${reason}`,
    {
      kind: 'system',
      data: { peer: peer.region },
      cause,
    },
  );
}
