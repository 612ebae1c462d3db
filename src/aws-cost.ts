import type { CostPort } from './cli/cost-port.ts';

/** What AWS charges. Most commands need none of this: it is loaded when it is first asked. */
export function createAwsCost(): CostPort {
  return {
    async report(config) {
      const { costReport } = await import('./aws/cost/report.ts');
      const { synthesize } = await import('./aws/terraform/synthesize.ts');
      return costReport(config, given =>
        synthesize(given, { state: 's3', protect: true }).map(({ document }) => document),
      );
    },
    async change(plans, usage) {
      const { estimateChange } = await import('./aws/cost/plan-change.ts');
      return estimateChange(plans, usage);
    },
  };
}
