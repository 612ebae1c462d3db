import { configDefaults, defineConfig } from 'vitest/config';
import ordinary from '../../vitest.config.ts';

/** `npm run test:aws`: all of the AWS suite, with the journeys that take many minutes each. */
export default defineConfig({
  test: { ...ordinary.test, include: ['test/aws/**/*.test.ts'], exclude: configDefaults.exclude },
});
