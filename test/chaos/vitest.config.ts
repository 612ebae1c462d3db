import { configDefaults, defineConfig } from 'vitest/config';
import ordinary from '../../vitest.config.ts';

/** `npm run test:chaos`: faults of the whole machine, with those that take minutes each. */
export default defineConfig({
  test: { ...ordinary.test, include: ['test/chaos/**/*.test.ts'], exclude: configDefaults.exclude },
});
