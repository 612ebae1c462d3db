import { randomBelow, type Random } from '../../../core/random.ts';
import { systemClock } from '../../../platform/clock.ts';
import { connect, createTcpServer, listen, type Server, type Socket } from '../../../platform/network.ts';

const LONGEST_DELAY_MS = 20;
const LATEST_CUT_BYTES = 4_000;
/** One connection in so many is cut at some point, and one in so many sends all it sent once again. */
const CUT_ONE_IN = 3;
const REPEAT_ONE_IN = 3;

/** A TCP link that is slow, breaks off in the middle, and delivers requests a second time, until it is mended. */
export class FaultyLink {
  readonly #random: Random;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #isFaulty = true;
  cuts = 0;
  repeats = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The endpoint of a new way to `endpoint`. */
  async to(endpoint: string): Promise<string> {
    const { hostname, port } = new URL(endpoint);
    const server = createTcpServer({ allowHalfOpen: true }, socket =>
      this.#carry(socket, hostname, Number(port)),
    );
    this.#servers.push(server);
    return `http://127.0.0.1:${await listen(server, { address: '127.0.0.1', port: 0 })}`;
  }

  mend(): void {
    this.#isFaulty = false;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, host: string, port: number): void {
    const to = connect({ host, port, allowHalfOpen: true });
    let untilCut =
      this.#isFaulty && this.#happens(CUT_ONE_IN) ? randomBelow(this.#random, LATEST_CUT_BYTES) : Infinity;
    const sent: Buffer[] = [];
    const cut = () => {
      from.destroy();
      to.destroy();
    };
    for (const [source, target] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#keep(source);
      source.on('error', cut);
      source.on('end', () => target.end());
      source.on('data', (bytes: Buffer) => {
        if (source === from) sent.push(bytes);
        untilCut -= bytes.length;
        if (untilCut < 0) {
          this.cuts += 1;
          cut();
        } else this.#deliver(bytes, source, target);
      });
    }
    from.once('close', () => {
      if (this.#isFaulty && this.#happens(REPEAT_ONE_IN)) this.#repeat(sent, host, port);
    });
  }

  #deliver(bytes: Buffer, source: Socket, target: Socket): void {
    if (!this.#isFaulty) {
      target.write(bytes);
      return;
    }
    source.pause();
    systemClock.after(randomBelow(this.#random, LONGEST_DELAY_MS), () => {
      target.write(bytes);
      source.resume();
    });
  }

  /** What was sent, once more and later: as by a retry somewhere on the way whose sender is long gone. */
  #repeat(sent: readonly Buffer[], host: string, port: number): void {
    this.repeats += 1;
    const again = connect({ host, port });
    this.#keep(again);
    again.on('error', () => undefined);
    again.resume();
    again.end(Buffer.concat(sent));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #happens(oneIn: number): boolean {
    return randomBelow(this.#random, oneIn) === 0;
  }
}
