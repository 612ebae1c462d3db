import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configurationExample, configurationReference } from '../docs/generate-configuration.ts';
import { defaultDiagram } from '../docs/generate-diagram.ts';
import { loadConfig } from '../src/cli/load-config.ts';
import { configSchema } from '../src/model/config/schema.ts';

const docs = join(import.meta.dirname, '..', 'docs');
const example = join(docs, 'examples', 'tandem.config.ts');

test('the configuration reference is what the schema says (else: npx node docs/generate-configuration.ts)', async () => {
  expect(await readFile(join(docs, 'configuration.md'), 'utf8')).toBe(configurationReference());
  expect(await readFile(example, 'utf8')).toBe(configurationExample());
});

test('the diagram is of what the defaults make (else: npx node docs/generate-diagram.ts)', async () => {
  expect(await readFile(join(docs, 'environment.svg'), 'utf8')).toBe(defaultDiagram());
});

test('the commented example is a valid configuration and changes no default', async () => {
  expect(await loadConfig(example)).toEqual(configSchema.parse({ application: 'storefront' }));
});
