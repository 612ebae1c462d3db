import { TandemError } from '../../core/error.ts';
import type { ServiceStatus } from '../../model/deployment.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { defineCommand } from '../command.ts';
import { waitOption, wholeNumber } from '../option-values.ts';
import { ProgressView } from '../progress-view.ts';
import { answered, answersAsJson, askRegions, chosenRegions, reportFailures } from '../regions.ts';
import { watch } from '../watch.ts';

export const scale = defineCommand<{ count?: number; wait: boolean }>({
  name: 'scale',
  summary: 'Set how many tasks a service runs',
  details:
    'Within the configured minimum and maximum; 0 switches it off. Leaving tasks first finish their requests. ' +
    'The count stays until it is set again.',
  examples: ['tandem scale production --count 4', 'tandem scale staging --count 0 --region us-west-2'],
  arguments: [{ syntax: '<service>', description: 'which service', choices: PIPELINE_ENVIRONMENTS }],
  options: [
    { flags: '--count <number>', description: 'how many tasks', parse: wholeNumber(0, 10_000) },
    waitOption,
  ],
  takesRegion: true,
  async run(context, { count, wait }, service) {
    if (count === undefined) throw new TandemError('USAGE', 'say how many tasks: --count <number>');
    const name = service as PipelineEnvironment;
    const cloud = await context.cloud();
    const view = new ProgressView(context.stderr, context.progressPaint, context.clock);
    const since = context.clock.now();
    const watching = new AbortController();
    const release = context.onInterrupt(() =>
      watching.abort(new TandemError('INTERRUPTED', 'you ended the watching; the scaling goes on')),
    );
    try {
      const answers = await askRegions(cloud, chosenRegions(context, cloud), async (operations, region) => {
        const show = (text: string) => view.set(region, { text, since });
        await operations.scale(name, count);
        const status = async () => (await operations.status()).services.find(found => found.name === name)!;
        if (!wait) return status();
        return watch({
          operations,
          clock: context.clock,
          signal: watching.signal,
          read: status,
          isSettled(found) {
            show(`${name}: ${found.running} of ${found.desired} tasks run`);
            return isSettled(found);
          },
          onContact: contact =>
            show(contact === 'lost' ? 'no answer from the region; trying again' : 'contact is back'),
        });
      });
      view.end({ keep: false });
      if (context.json) context.printJson(answersAsJson(answers, 'service'));
      else
        for (const { region, value } of answered(answers))
          context.print(`${region}  ${name}  ${value.running}/${value.desired}`);
      return reportFailures(context, answers);
    } finally {
      release();
    }
  },
});

function isSettled({ running, pending, desired, healthyTargets }: ServiceStatus): boolean {
  return pending === 0 && running === desired && healthyTargets === desired;
}
