import { commandArguments, writeOutput } from '../../../platform/process.ts';
import { RegistryServer } from './server.ts';

/** A registry in a process of its own, for tests that kill it: `node registry-process.ts <folder>` prints its endpoint. */
const server = await RegistryServer.start({ folder: commandArguments[0]! });
writeOutput(`${server.endpoint}\n`);
