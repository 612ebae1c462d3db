import { httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from './network.ts';

/** `fetch`, for what runs in AWS; it is slow to load, so that commands on this machine ask with `askHttp`. */
export const fetchHttp: typeof fetch = (input, init) => fetch(input, init);

export interface HttpQuestion {
  method: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** Ends the request, also while its answer is being read. */
  signal?: AbortSignal;
}

/** One request; resolves when the head of the answer is there. Rejects with the system's error where there is none. */
export function askHttp(url: string, { body, ...options }: HttpQuestion): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, options, resolve).on('error', reject).end(body);
  });
}

export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** A signal that aborts a request which takes longer. It does not keep the process alive. */
export function timeLimit(durationMs: number): AbortSignal {
  return AbortSignal.timeout(durationMs);
}

/**
 * Splits a byte stream into lines as they arrive; the last line needs no line end. Empty lines (keep-alives) are left out, and
 * of a line that is longer than `longest` characters, the rest.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  longest = Infinity,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(0, longest);
    for (const line of lines) if (line !== '') yield line.slice(0, longest);
  }
  if (rest !== '') yield rest;
}
