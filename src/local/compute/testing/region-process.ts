/*
 * A region process to be killed: opens the region of a test's folder, deploys a release to staging, says on standard
 * output how that ended, and goes on until it is ended. Where a number is given it kills itself at that many changes,
 * at once and without a word.
 */
import type { Release } from '../../../model/release.ts';
import { commandArguments, ownPid, sendSignal, writeOutput } from '../../../platform/process.ts';
import { TestRegion } from './region.ts';

const [folder = '', listeners = '', release = '', dieAfterChanges = '0'] = commandArguments;
const region = await TestRegion.open(folder, JSON.parse(listeners) as TestRegion['listeners'], {});
let changes = 0;
region.compute.onChange(() => {
  changes += 1;
  if (changes === Number(dieAfterChanges)) sendSignal(ownPid, 'SIGKILL');
});
const { status } = await region.deployed(JSON.parse(release) as Release);
if (dieAfterChanges !== '0') sendSignal(ownPid, 'SIGKILL');
writeOutput(`${status}\n`);
