import type { Duplex, Writable } from 'node:stream';
import { errorMessage } from '../../core/error.ts';
import { PacketDecoder } from '../../wire/git/pkt-line.ts';
import { encodeResults, ProcReceiveReader, type ProcReceiveRequest } from '../../wire/git/proc-receive.ts';
import type { PushOutcome } from './ref-writer.ts';

/**
 * Talks with the `proc-receive` hook of one receive-pack over the sockets that the hook inherited: `conversation`
 * both ways, `lines` to what the pusher sees. `apply` makes the ref updates; whatever it throws refuses the push.
 */
export function converseWithHook(
  conversation: Duplex,
  lines: Writable,
  apply: (request: ProcReceiveRequest) => Promise<PushOutcome>,
): void {
  const decoder = new PacketDecoder();
  const reader = new ProcReceiveReader();

  const answer = async (request: ProcReceiveRequest) => {
    const outcome = await apply(request).catch((error: unknown) => refuseAll(request, errorMessage(error)));
    lines.end(outcome.lines.map(line => `${line}\n`).join(''));
    conversation.end(encodeResults(outcome.results));
  };

  // The hook's end closes when receive-pack ends, also by force: there is nobody left to tell then.
  conversation.on('error', () => undefined);
  lines.on('error', () => undefined);
  conversation.on('data', (bytes: Buffer) => {
    try {
      for (const packet of decoder.decode(bytes)) {
        const request = reader.accept(packet);
        if (request) void answer(request);
      }
    } catch (error) {
      lines.end(`${errorMessage(error)}\n`);
      conversation.destroy();
    }
  });
}

function refuseAll(request: ProcReceiveRequest, refusal: string): PushOutcome {
  return { results: request.commands.map(({ ref }) => ({ ref, refusal })), lines: [] };
}
