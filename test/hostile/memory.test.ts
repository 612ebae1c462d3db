import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/platform/process.ts';
import { MEBIBYTE } from './attack.ts';
import { ATTACKS } from './attacks.ts';

/*
 * Each attack is made in a process of its own, whose largest memory tells what was held at any moment, however short.
 * Unbounded, each takes gigabytes or does not end. The balancer's are in src/local/balancer/hostile-memory.test.ts.
 */

/** Room for buffers and for what V8 has not collected yet. */
const ALLOWED_GROWTH = 128 * MEBIBYTE;

test.concurrent.each(ATTACKS)('$title', { timeout: 120_000 }, async ({ title, says }) => {
  const program = fileURLToPath(new URL('attack-process.ts', import.meta.url));
  // What is garbage already counts as little as V8 lets it.
  const { stdout, stderr } = await runCommand(process.execPath, ['--max-semi-space-size=2', program, title]);
  expect(stderr).toBe('');
  const { ending, growth } = JSON.parse(stdout) as { ending: string; growth: number };
  expect(ending).toContain(says);
  expect(growth).toBeLessThan(ALLOWED_GROWTH);
});
