import { TandemError } from '../../core/error.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { actOnServices, readService } from '../act-on-services.ts';
import { defineCommand } from '../command.ts';
import { waitOption, wholeNumber } from '../option-values.ts';
import { answered, answersAsJson, reportFailures } from '../regions.ts';

export const scale = defineCommand<{ count?: number; wait: boolean }>({
  name: 'scale',
  summary: 'Set how many tasks a service runs',
  details:
    'Within the configured minimum and maximum; 0 switches it off. Leaving tasks first finish their requests. ' +
    'The count stays until it is set again; with --target aws autoscaling goes on from it.',
  examples: [
    'tandem scale production --count 4',
    'tandem scale production --count 4 --target aws',
    'tandem scale staging --count 0 --region us-west-2',
  ],
  arguments: [{ syntax: '<service>', description: 'which service', choices: PIPELINE_ENVIRONMENTS }],
  options: [
    { flags: '--count <number>', description: 'how many tasks', parse: wholeNumber(0, 10_000) },
    waitOption,
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, { count, wait }, service) {
    if (count === undefined) throw new TandemError('USAGE', 'say how many tasks: --count <number>');
    const name = service as PipelineEnvironment;
    const cloud = await context.cloud();
    if (cloud.target === 'aws') context.note(AUTOSCALING[count === 0 ? 'off' : 'on']);
    const answers = await actOnServices(context, cloud, 'the scaling', async ({ operations, follow }) => {
      await operations.scale(name, count);
      if (!wait) return readService(operations, name);
      return follow({
        name,
        describe: ({ running, desired }) => `${running} of ${desired} tasks run`,
        isSettled: ({ running, pending, desired, healthyTargets }) =>
          pending === 0 && running === desired && healthyTargets === desired,
      });
    });
    if (context.json) context.printJson(answersAsJson(answers, 'service'));
    else
      for (const { region, value } of answered(answers))
        context.print(`${region}  ${name}  ${value.running}/${value.desired}`);
    return reportFailures(context, answers);
  },
});

/** What becomes of the count on AWS, by what the autoscaling of src/aws/terraform does. */
const AUTOSCALING = {
  on:
    'note: autoscaling goes on from this count: it adds tasks when there is much to do, and takes one after the other away ' +
    'when fewer would do; service.minimumCount and service.maximumCount in the configuration set its limits',
  off: 'note: with no task there is nothing to measure, so autoscaling adds none; a schedule, or a scaling by hand, does',
} as const;
