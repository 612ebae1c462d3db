import { openNamedPipe } from '../../../platform/named-pipe.ts';
import { newToken } from '../../../platform/random.ts';
import { LineSplitter } from './line-splitter.ts';

/** The one stream that everything a build starts writes to, in the order of writing. */
export interface OutputChannel {
  /** To be given to processes as stdout and stderr. */
  descriptor: number;
  /** Resolves when every line that was written before the call has been told. */
  fence(): Promise<void>;
  /** Stops listening; what comes after is lost. */
  close(): void;
}

/** Reading is paced by `onLine`, which is synchronous: a build that writes faster than it is stored has to wait. */
export async function openOutputChannel(
  path: string,
  onLine: (line: string) => void,
): Promise<OutputChannel> {
  let onFence: () => void = () => undefined;
  const splitter = new LineSplitter(onLine, () => onFence());
  const pipe = await openNamedPipe(path);
  pipe.onData(chunk => splitter.push(chunk));
  return {
    descriptor: pipe.descriptor,
    async fence() {
      const mark = Buffer.from(`\u0000${newToken(16)}\u0000`);
      const reached = new Promise<void>(resolve => {
        onFence = resolve;
      });
      splitter.expectFence(mark);
      await pipe.write(mark);
      await reached;
    },
    close() {
      splitter.end();
      pipe.close();
    },
  };
}
