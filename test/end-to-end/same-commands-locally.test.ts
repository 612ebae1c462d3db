import { testSameCommands } from './same-commands.ts';
import { TestCloud } from './test-cloud.ts';

testSameCommands('the local cloud', () => TestCloud.up());
