import assert from 'node:assert/strict';
import test from 'node:test';
import { behaviour } from './behaviour.mjs';

test('the application is not known to be wrong', () => assert.notEqual(behaviour, 'fails-its-test'));
