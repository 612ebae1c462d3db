import type { PeerAnswer } from '../../control/pipeline/state.ts';
import { errorMessage } from '../../core/error.ts';
import { equalSecrets } from '../../platform/hash.ts';
import type { IncomingMessage, ServerResponse } from '../../platform/network.ts';
import type { ServiceContext } from '../context.ts';
import { PEER_PATH, readQuestion, type PeerQuestion } from './peer-messages.ts';

/** Answers the other regions; a question whose answer is `building` may be kept until that changes. */
export class PeerServer {
  readonly #context: Pick<ServiceContext, 'internalToken' | 'clock'>;
  readonly #answer: (question: PeerQuestion) => PeerAnswer;
  /** Looks at each kept question again. */
  readonly #kept = new Set<() => void>();
  readonly #responses = new Set<ServerResponse>();

  constructor(
    context: Pick<ServiceContext, 'internalToken' | 'clock'>,
    answer: (question: PeerQuestion) => PeerAnswer,
  ) {
    this.#context = context;
    this.#answer = answer;
  }

  /** False where the path is not the pipeline's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const target = request.url ?? '';
    if (!target.startsWith(PEER_PATH)) return false;
    const question = readQuestion(target);
    if (!equalSecrets(request.headers.authorization ?? '', `Bearer ${this.#context.internalToken}`)) {
      response.writeHead(401).end();
    } else if (!question) {
      response.writeHead(404).end();
    } else if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end();
    } else {
      this.#serve(question, response);
    }
    return true;
  }

  #serve(question: PeerQuestion, response: ServerResponse): void {
    if (this.#settle(question, response, question.waitMs > 0)) return;
    const timer = this.#context.clock.after(question.waitMs, () => this.#settle(question, response, false));
    const lookAgain = () => this.#settle(question, response, true);
    this.#kept.add(lookAgain);
    this.#responses.add(response);
    response.once('close', () => {
      timer.cancel();
      this.#kept.delete(lookAgain);
      this.#responses.delete(response);
    });
  }

  /** Answers, unless the answer is `building` and may wait. True when the response has ended. */
  #settle(question: PeerQuestion, response: ServerResponse, mayWait: boolean): boolean {
    if (response.writableEnded) return true;
    try {
      const answer = this.#answer(question);
      if (answer.state === 'building' && mayWait) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    } catch (error) {
      // The asking region says so to its people, and asks again.
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(errorMessage(error));
    }
    return true;
  }

  /** Something changed: whoever waits may have an answer now. */
  wake(): void {
    for (const lookAgain of this.#kept) lookAgain();
  }

  /** Cuts off whoever waits; they ask again when this region is back. */
  stop(): void {
    for (const response of this.#responses) response.destroy();
  }
}
