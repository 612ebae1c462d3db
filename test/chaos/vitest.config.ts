import { defineConfig } from 'vitest/config';
import ordinary from '../../vitest.config.ts';

/** `npm run test:chaos`: faults of the whole machine, apart from the ordinary tests. */
export default defineConfig({ test: { ...ordinary.test, include: ['test/chaos/**/*.test.ts'] } });
