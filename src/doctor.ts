import type { Doctor } from './cli/doctor-port.ts';

/** Looks at a region through its own API, and lets the diagnosis say what that means. */
export const doctor: Doctor = {
  async observe(request) {
    return (await import('./local/observe-region.ts')).observeRegion(request);
  },
  async diagnose(observation) {
    return (await import('./control/diagnosis/diagnose.ts')).diagnose(observation);
  },
};
