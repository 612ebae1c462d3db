import type { Finding, RegionObservation } from '../../model/diagnosis.ts';
import { observeAwsRegions } from '../aws/observe-region.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, Paint } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { chosenRegions } from '../regions.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';

export const doctor = defineCommand<Record<string, never>>({
  name: 'doctor',
  summary: 'Find out what is wrong, why, and what mends it',
  details:
    'Looks at an application that cannot be reached (target health, tasks, logs, in that order), images that cannot be ' +
    'pulled, tasks killed for memory, builds that fail or are stuck, and replication that is behind; with --target aws also at ' +
    'security groups, state locks and what NAT costs. What the credentials may not see is named, and the rest is shown. ' +
    'Changes nothing. ' +
    'Exit codes: 0 nothing is wrong, 1 something is, 6 not everything could be looked at.',
  examples: ['tandem doctor', 'tandem doctor --region us-west-2 --json', 'tandem doctor --target aws'],
  takesRegion: true,
  isForAws: true,
  async run(context) {
    const observations =
      context.target === 'aws' ? await observeAwsRegions(context) : await observeLocalRegions(context);
    const examinations = await Promise.all(
      observations.map(async observation => ({
        region: observation.region,
        findings: await context.doctor.diagnose(observation),
        unseen: observation.unseen,
      })),
    );
    if (context.json) context.printJson({ regions: examinations });
    else for (const examination of examinations) printExamination(context, examination);
    return exitCodeOf(examinations);
  },
});

interface Examination {
  region: string;
  findings: Finding[];
  unseen: RegionObservation['unseen'];
}

async function observeLocalRegions(context: CommandContext): Promise<RegionObservation[]> {
  const [cloud, config] = await Promise.all([context.cloud(), context.config()]);
  return Promise.all(
    chosenRegions(context, cloud).map(region =>
      context.doctor.observe({
        region,
        operations: cloud.region(region),
        config,
        now: context.clock.now(),
      }),
    ),
  );
}

const MARKS: Record<Finding['severity'], (paint: Paint) => string> = {
  error: paint => paint.red('✗'),
  warning: paint => paint.yellow('!'),
  notice: paint => paint.dim('·'),
};

function printExamination(context: CommandContext, { region, findings, unseen }: Examination): void {
  const { paint } = context;
  if (findings.length === 0 && unseen.length === 0) {
    context.print(`${paint.green('✓')} ${region}: nothing is wrong`);
  }
  for (const { severity, subject, cause, evidence, mend } of findings) {
    context.print(`${MARKS[severity](paint)} ${paint.bold(`${region} ${subject}`)}: ${printable(cause)}`);
    const rows = [...evidence.map(({ what, seen }) => [what, printable(seen)]), ['mend', mend]];
    for (const line of table(rows, '    ')) context.print(line);
  }
  for (const { what, reason } of unseen) {
    context.print(`${paint.inverse('?')} ${region}: ${what} could not be looked at: ${printable(reason)}`);
  }
}

function exitCodeOf(examinations: readonly Examination[]): ExitCode {
  const findings = examinations.flatMap(examination => examination.findings);
  if (findings.some(({ severity }) => severity !== 'notice')) return EXIT.failed;
  return examinations.some(({ unseen }) => unseen.length > 0) ? EXIT.unknown : EXIT.done;
}
