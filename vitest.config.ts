import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'test/*.test.ts',
      'test/{aws,end-to-end,hostile}/**/*.test.ts',
      'test/chaos/**/*.test.ts',
    ],
    // Minutes of work each: `npm run test:chaos` and `npm run test:aws` have them as well.
    exclude: [
      ...configDefaults.exclude,
      'test/chaos/{at-size,disk-faults}.test.ts',
      'test/aws/{journeys,at-length}/*.test.ts',
    ],
    environment: 'node',
    setupFiles: ['./test/fixed-seed.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/closing-line-reporter.ts'],
  },
});
