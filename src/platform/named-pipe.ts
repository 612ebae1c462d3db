import { closeSync, constants, openSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { runCommand } from './process.ts';

/**
 * A FIFO that child processes write their output to. Unlike the sockets that `spawn` makes of `pipe`, it can be
 * opened again by name (`tee /dev/stderr`), several processes in turn can be given it, and this process can write
 * into the same stream, which marks a point that everything written before is ahead of.
 */
export interface NamedPipe {
  /** To be given to children as stdout and stderr. */
  descriptor: number;
  onData(listener: (chunk: Buffer) => void): void;
  /** Resolves when the bytes are in the pipe: a full one is waited for. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends reading; a child that still writes gets SIGPIPE. */
  close(): void;
}

/** Makes and opens a FIFO at `path`, where nothing exists yet. */
export async function openNamedPipe(path: string): Promise<NamedPipe> {
  const made = await runCommand('mkfifo', ['-m', '600', path]);
  if (made.exitCode !== 0) throw new Error(`mkfifo ${path}: ${made.stderr.trim()}`);
  // The reader first and without waiting for a writer; the writer then opens at once.
  const reader = new Socket({
    fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
  const descriptor = openSync(path, 'w');
  reader.on('error', () => undefined);
  return {
    descriptor,
    onData: listener => void reader.on('data', listener),
    write: bytes =>
      new Promise((resolve, reject) => {
        write(descriptor, bytes, error => (error ? reject(error) : resolve()));
      }),
    close() {
      reader.destroy();
      closeSync(descriptor);
    },
  };
}
