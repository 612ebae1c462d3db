/** `fetch` for the API client; typed here so that nothing else touches the global. */
export const fetchHttp: typeof fetch = (input, init) => fetch(input, init);

/** A signal that aborts a request which takes longer. It does not keep the process alive. */
export function timeLimit(durationMs: number): AbortSignal {
  return AbortSignal.timeout(durationMs);
}

/** Splits a byte stream into lines as they arrive; the last line needs no line end. Empty lines (keep-alives) are left out. */
export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}
