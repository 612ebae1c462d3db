import { connect, type Socket } from 'node:net';
import type { Endpoint } from './network.ts';

/**
 * What has arrived: the first `length` bytes of `buffer`. They are valid until the callback returns, since every
 * socket of the process reads into the same memory; what must last longer is copied.
 */
export type SharedReadListener = (buffer: Buffer, length: number) => void;

/** One read happens at a time, on one thread, and is dealt with before the next: so one buffer is enough for all. */
const sharedReadBuffer = Buffer.allocUnsafeSlow(65_536);

/** Connects a half-open-capable socket that reads into the shared buffer; it never emits `data`. */
export function connectSharedReads(endpoint: Endpoint, listener: SharedReadListener): Socket {
  return connect({
    host: endpoint.address,
    port: endpoint.port,
    noDelay: true,
    allowHalfOpen: true,
    onread: {
      buffer: sharedReadBuffer,
      callback(length) {
        listener(sharedReadBuffer, length);
        return true;
      },
    },
  });
}

interface BufferedHandle {
  useUserBuffer(buffer: Buffer): void;
}

/**
 * Makes a socket that a server has just accepted (in its `connection` event) read as `connectSharedReads` does.
 * Node offers `onread` for outgoing connections only; an accepted socket has the same two slots, unnamed. Where a
 * version of Node has not got them, the socket's `data` events serve: the same behaviour, more slowly.
 */
export function acceptSharedReads(socket: Socket, listener: SharedReadListener): void {
  slotsOfSockets ??= findSlots(socket);
  const slots = socket as unknown as Record<symbol, unknown> & { _handle?: Partial<BufferedHandle> };
  const { bufferSlot, callbackSlot } = slotsOfSockets;
  const handle = slots._handle;
  if (bufferSlot === undefined || callbackSlot === undefined || handle?.useUserBuffer === undefined) {
    socket.on('data', (chunk: Buffer) => listener(chunk, chunk.length));
    return;
  }
  slots[bufferSlot] = sharedReadBuffer;
  slots[callbackSlot] = (length: number) => {
    listener(sharedReadBuffer, length);
    return true;
  };
  handle.useUserBuffer(sharedReadBuffer);
}

interface Slots {
  bufferSlot: symbol | undefined;
  callbackSlot: symbol | undefined;
}

let slotsOfSockets: Slots | undefined;

function findSlots(socket: Socket): Slots {
  const symbols = Object.getOwnPropertySymbols(socket);
  return {
    bufferSlot: symbols.find(symbol => symbol.description === 'kBuffer'),
    callbackSlot: symbols.find(symbol => symbol.description === 'kBufferCb'),
  };
}
