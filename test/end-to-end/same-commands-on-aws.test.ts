import { describe } from 'vitest';
import { findProgram } from '../../src/platform/process.ts';
import { AwsTestCloud } from '../aws/aws-test-cloud.ts';
import { testSameCommands } from './same-commands.ts';

const isMissing = findProgram('moto_server') === undefined;
if (isMissing) console.log('The commands on AWS are not tested: there is no moto_server on PATH.');

describe.skipIf(isMissing)('with moto', () => testSameCommands('AWS', () => AwsTestCloud.up()));
