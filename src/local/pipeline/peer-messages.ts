import { z } from 'zod';
import type { PeerAnswer } from '../../control/pipeline/state.ts';
import type { CommitId } from '../../model/names.ts';

/*
 * The questions between regions, and their answers as JSON:
 *
 *   GET /internal/pipeline/releases/<commit>?from=<asking region>&waitMs=<milliseconds>
 *
 * With `waitMs`, an answer of `building` is held back until it changes, or until that time has passed.
 */

export const PEER_PATH = '/internal/pipeline/';
/** A proxy between regions may cut what is silent for longer. */
export const LONGEST_WAIT_MS = 25_000;

export interface PeerQuestion {
  commit: CommitId;
  from: string;
  waitMs: number;
}

export function writeQuestion({ commit, from, waitMs }: PeerQuestion): string {
  return `${PEER_PATH}releases/${commit}?${new URLSearchParams({ from, waitMs: String(waitMs) }).toString()}`;
}

/** `undefined` where the path asks for no release. */
export function readQuestion(target: string): PeerQuestion | undefined {
  const [path = '', query = ''] = target.split('?');
  const commit = /^\/internal\/pipeline\/releases\/([0-9a-f]{40}|[0-9a-f]{64})$/.exec(path)?.[1];
  if (commit === undefined) return undefined;
  const parameters = new URLSearchParams(query);
  const waitMs = Number(parameters.get('waitMs') ?? 0);
  return {
    commit,
    from: parameters.get('from') ?? '',
    waitMs: Number.isFinite(waitMs) ? Math.min(LONGEST_WAIT_MS, Math.max(0, waitMs)) : 0,
  };
}

const answerSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('built'),
    release: z.object({
      commit: z.string(),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      builtIn: z.string().min(1).max(64),
      builtAt: z.number(),
    }),
  }),
  z.object({ state: z.literal('building') }),
  z.object({ state: z.literal('failed'), cause: z.string().max(4_000) }),
  z.object({ state: z.literal('absent') }),
]);

/** Throws where the text is no answer to a question for that commit. */
export function readAnswer(text: string, commit: CommitId): PeerAnswer {
  const answer = answerSchema.parse(JSON.parse(text));
  if (answer.state === 'built' && answer.release.commit !== commit) {
    throw new Error(`the answer is about commit ${answer.release.commit}`);
  }
  return answer;
}
