import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createProxy, type Call, type ProxyState } from './moto-proxy.ts';

export interface Moto extends AsyncDisposable {
  /** Where Terraform and the SDK are sent: the proxy. */
  endpoint: string;
  /** Names of the corrections that were made. */
  corrected: ReadonlySet<string>;
  /** Calls that moto does not know, as `Service.Action`: each is a gap of the emulation. */
  unknown: ReadonlySet<string>;
  /** From now on, calls for which this is true are refused. */
  refuse(refuses: (call: Call) => boolean): void;
  /** From now on, told of every call. */
  watch(onCall: (call: Call) => void): void;
}

/** Starts moto, and in front of it the proxy that mends its faults. Both end with the returned object. */
export async function startMoto(): Promise<Moto> {
  const process = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Policies of AWS's own are there, as in every account.
    env: { ...globalThis.process.env, MOTO_ACCOUNT_ID: ACCOUNT_ID, MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' },
  });
  const upstream = await announcedPort(process);
  process.stderr.resume();
  const state: ProxyState = {
    upstream,
    corrected: new Set(),
    unknown: new Set(),
    refuses: () => false,
    onCall: () => undefined,
  };
  const server = createProxy(state);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    corrected: state.corrected,
    unknown: state.unknown,
    refuse(refuses) {
      state.refuses = refuses;
    },
    watch(onCall) {
      state.onCall = onCall;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    },
  };
}

/** The account that moto plays. */
const ACCOUNT_ID = '123456789012';

async function announcedPort(process: ChildProcess): Promise<number> {
  let text = '';
  for await (const chunk of process.stderr!.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const port = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`moto_server ended before it listened:\n${text}`);
}
