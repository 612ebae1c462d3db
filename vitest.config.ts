import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'test/*.test.ts',
      'test/{aws,end-to-end}/**/*.test.ts',
      'test/chaos/storm.test.ts',
      'test/chaos/checkers/*.test.ts',
    ],
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/closing-line-reporter.ts'],
  },
});
