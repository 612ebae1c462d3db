/**
 * One region's repository as a process of its own, to be killed. Says `listening <port>` on standard error when it
 * answers, and `told <ref>` for each change. With TEST_HOLD its listener never returns, as if the machine were very
 * slow just then.
 */
import { createHttpServer, listen } from '../../../platform/network.ts';
import { environment, writeError } from '../../../platform/process.ts';
import { testContext } from '../../testing/context.ts';
import { createRepository } from '../repository.ts';

const server = createHttpServer((request, response) => repository.handle(request, response));
const port = await listen(server, { address: '127.0.0.1', port: Number(environment['TEST_PORT']) });
const repository = createRepository(
  testContext(environment['TEST_FOLDER']!, { endpoint: `http://127.0.0.1:${port}` }),
);
repository.onRefChange(change => {
  writeError(`told ${change.ref}\n`);
  if (environment['TEST_HOLD']) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return [];
});
await repository.start();
writeError(`listening ${port}\n`);
