import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawDiagram } from '../src/aws/diagram/svg.ts';
import { configSchema } from '../src/model/config/schema.ts';

/** The environment of a configuration that changes no default; a test compares it with docs/environment.svg. */
export function defaultDiagram(): string {
  return drawDiagram(configSchema.parse({ application: 'storefront' }));
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, 'environment.svg'), defaultDiagram());
