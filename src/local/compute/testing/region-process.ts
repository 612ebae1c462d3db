/*
 * A region process to be killed: opens the region of a test's folder, deploys a release to staging, says on standard
 * output that it is done, and goes on until it is ended.
 */
import type { Release } from '../../../model/release.ts';
import { commandArguments, writeOutput } from '../../../platform/process.ts';
import { TestRegion } from './region.ts';

const [folder = '', listeners = '', release = ''] = commandArguments;
const region = await TestRegion.open(folder, JSON.parse(listeners) as TestRegion['listeners'], {});
const { status } = await region.deployed(JSON.parse(release) as Release);
writeOutput(`${status}\n`);
