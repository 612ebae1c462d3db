import type { IncomingMessage, ServerResponse } from '../platform/network.ts';

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Keeps requests until the region is whole: half of it, or one whose start is about to fail (on a full disk, say), would
 * say that all is well. Where the start fails the process ends, and those that wait see that nobody is there.
 */
export class StartGate {
  #waiting: (() => void)[] | undefined = [];

  pass(request: IncomingMessage, response: ServerResponse, serve: RequestHandler): void {
    if (this.#waiting === undefined) {
      serve(request, response);
      return;
    }
    this.#waiting.push(() => {
      if (!response.destroyed) serve(request, response);
    });
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const serve of waiting) serve();
  }
}
