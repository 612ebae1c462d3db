/** A push as `git receive-pack` takes it over HTTP: the commands, a flush, then the pack (gitprotocol-pack, "Pushing Data"). */
import { encodePacket, FLUSH_PACKET, type Packet } from './pkt-line.ts';
import type { CommandResult, RefCommand } from './proc-receive.ts';

export class PushReportError extends Error {
  override name = 'PushReportError';
}

/** Without the pack, which follows where any command does more than delete. */
export function encodePushCommands(commands: readonly RefCommand[], capabilities: readonly string[]): Buffer {
  return Buffer.concat([
    ...commands.map(({ ref, before, after }, index) => {
      const nothing = '0'.repeat((before ?? after ?? '').length);
      const line = `${before ?? nothing} ${after ?? nothing} ${ref}`;
      return encodePacket(index === 0 ? `${line}\0${capabilities.join(' ')}` : line);
    }),
    FLUSH_PACKET,
  ]);
}

/** Reads the report of `report-status`: one result a command. Throws PushReportError where the pack was not taken. */
export function parsePushReport(packets: readonly Packet[]): CommandResult[] {
  const lines = packets
    .filter(packet => packet !== 'flush')
    .map(packet => packet.toString('utf8').replace(/\n$/, ''));
  const [unpacked, ...results] = lines;
  if (unpacked !== 'unpack ok') throw new PushReportError(unpacked ?? 'there is no report');
  return results.map(line => {
    const [, verdict, ref, refusal] = /^(ok|ng) (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (ref === undefined) throw new PushReportError(`the report has the line ${JSON.stringify(line)}`);
    return verdict === 'ok' ? { ref } : { ref, refusal: refusal ?? 'no reason given' };
  });
}
