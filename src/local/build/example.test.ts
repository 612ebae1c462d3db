import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildFixture } from './testing/build-fixture.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/storefront');

test('the example application builds with its own buildspec, and its tests are counted', async () => {
  const fixture = await buildFixture();
  try {
    for (const entry of readdirSync(EXAMPLE, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      fixture.source[path.slice(EXAMPLE.length + 1)] = readFileSync(path, 'utf8');
    }
    const build = await fixture.build();
    expect(build.cause).toBeUndefined();
    expect(build.images).toMatchObject([
      { name: 'storefront', imageUri: `127.0.0.1:5000/storefront:${build.commit}` },
    ]);
    expect(build.reports).toEqual([{ group: 'unit', total: 6, passed: 6, failed: 0, skipped: 0 }]);
  } finally {
    await fixture.close();
  }
});
