import { configureGlobal } from 'fast-check';

/** So that two runs of the tests try the same. `TANDEM_TEST_SEED=<number>` tries something else. */
const SEED = 20_260_611;

configureGlobal({ seed: Number(process.env['TANDEM_TEST_SEED'] ?? SEED) });
