import type { PeerAnswer } from '../../control/pipeline/state.ts';
import { SECOND_MS } from '../../core/duration.ts';
import { errorMessage } from '../../core/error.ts';
import type { CommitId } from '../../model/names.ts';
import { httpRequest, type IncomingMessage } from '../../platform/network.ts';
import type { Peer, ServiceContext } from '../context.ts';
import { LONGEST_WAIT_MS, readAnswer, writeQuestion } from './peer-messages.ts';

const ANSWER_LIMIT_MS = 5 * SECOND_MS;
const LARGEST_ANSWER_BYTES = 65_536;

/**
 * Asks another region for its release of a commit. Rejects where it gives no usable answer in time. `isHeld`: an
 * answer of `building` may be held back until it changes, for 25 s.
 */
export async function askPeer(
  context: Pick<ServiceContext, 'region' | 'internalToken' | 'clock'>,
  peer: Peer,
  question: { commit: CommitId; isHeld: boolean },
  signal: AbortSignal,
): Promise<PeerAnswer> {
  const waitMs = question.isHeld ? LONGEST_WAIT_MS : 0;
  const url = peer.endpoint + writeQuestion({ commit: question.commit, from: context.region, waitMs });
  const limit = new AbortController();
  const timer = context.clock.after(waitMs + ANSWER_LIMIT_MS, () => {
    limit.abort(new Error(`no answer within ${(waitMs + ANSWER_LIMIT_MS) / SECOND_MS} s`));
  });
  const bounds = AbortSignal.any([signal, limit.signal]);
  try {
    const { status, text } = await get(url, `Bearer ${context.internalToken}`, bounds);
    if (status !== 200) throw new Error(`it answered ${status}`);
    return readUsableAnswer(text, question.commit);
  } catch (error) {
    // An aborted request rejects with a general AbortError; the reason says more.
    throw bounds.aborted ? new Error(errorMessage(bounds.reason), { cause: error }) : error;
  } finally {
    timer.cancel();
  }
}

function readUsableAnswer(text: string, commit: CommitId): PeerAnswer {
  try {
    return readAnswer(text, commit);
  } catch (error) {
    throw new Error('its answer is not understood', { cause: error });
  }
}

function get(
  url: string,
  authorization: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { authorization }, signal }, response => {
      readText(response).then(text => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.on('error', reject);
    request.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
