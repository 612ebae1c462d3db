import { commandArguments, writeOutput } from '../../../platform/process.ts';
import { buildFixture, buildRequest } from './build-fixture.ts';

/** A process to be killed: it starts one build of `argv[1]` (a buildspec) in the folder `argv[0]`. */
const fixture = await buildFixture({ folder: commandArguments[0]! });
fixture.source['buildspec.yml'] = commandArguments[1]!;
const { id } = fixture.service.startBuild(buildRequest());
for await (const event of fixture.context.logs.read({ stream: id, follow: true })) {
  if (event.message.startsWith('started')) writeOutput(`${id} ${event.message}\n`);
}
