/**
 * One region's repository as a process of its own, to be killed: `<folder> <region> <port>`. Prints the port when it
 * answers. With `hold` as the fourth argument its listener never returns, as if the machine were very slow just then.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testContext } from '../../testing/context.ts';
import { createRepository } from '../repository.ts';

const [, , folder, region, port, hold] = process.argv;
const server = createServer((request, response) => repository.handle(request, response));
await new Promise<void>(resolve => server.listen(Number(port), '127.0.0.1', resolve));
const { port: chosen } = server.address() as AddressInfo;
const context = testContext(folder!, { region: region!, endpoint: `http://127.0.0.1:${chosen}` });
const repository = createRepository(context);
repository.onRefChange(change => {
  process.stdout.write(`told ${change.ref}\n`);
  if (hold) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return [];
});
await repository.start();
process.stdout.write(`listening ${chosen}\n`);
