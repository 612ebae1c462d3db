import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { literalText } from '../../src/aws/terraform/literal.ts';
import { intact } from '../../src/model/config/sections/text.ts';
import { isOnPath } from './terraform.ts';

/** What means something to Terraform, alone and beside itself. */
const PIECES = ['$', '%', '{', '}', '${', '%{', '$$', '%%', '~', '"', '\\', '\n', 'a', 'é', '😀', '\u007f'];

const run = promisify(execFile);

test.skipIf(!isOnPath('terraform'))(
  'text that the configuration takes is, to Terraform itself, what was written',
  { timeout: 60_000 },
  async () => {
    const ofPieces = fc.string({ unit: fc.constantFrom(...PIECES), maxLength: 8 });
    const texts = fc
      .sample(fc.oneof(ofPieces, fc.string({ unit: 'binary' })), 2000)
      .filter(text => intact(z.string()).safeParse(text).success);
    expect(texts.length).toBeGreaterThan(1000);
    expect(await asTerraformReads(texts.map(literalText))).toEqual(texts);
  },
);

async function asTerraformReads(texts: readonly string[]): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-literal-'));
  try {
    await writeFile(join(folder, 'main.tf.json'), JSON.stringify({ output: { texts: { value: texts } } }));
    const terraform = async (...words: string[]) =>
      (await run('terraform', [`-chdir=${folder}`, ...words], { maxBuffer: 2 ** 24 })).stdout;
    await terraform('init', '-input=false');
    await terraform('apply', '-auto-approve', '-input=false');
    return JSON.parse(await terraform('output', '-json', 'texts'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
