import { TandemError } from '../../core/error.ts';
import type { RegionOperations } from '../../model/cloud.ts';
import { ENDED_DEPLOYMENT_STATUSES, type Deployment } from '../../model/deployment.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment, type RegionName } from '../../model/names.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { worst } from '../exit-code.ts';
import { waitOption } from '../option-values.ts';
import { ProgressView } from '../progress-view.ts';
import { answered, answersAsJson, askRegions, chosenRegions, reportFailures } from '../regions.ts';
import { waitingText } from '../text/time.ts';
import { watch } from '../watch.ts';

export const restart = defineCommand<{ wait: boolean }>({
  name: 'restart',
  summary: 'Replace every task of a service by a new one of the same release',
  details: 'A rolling deployment, so no request is lost. Without a service: both, where they run a release.',
  examples: ['tandem restart production', 'tandem restart staging --region us-west-2'],
  arguments: [{ syntax: '[service]', description: 'which service', choices: PIPELINE_ENVIRONMENTS }],
  options: [waitOption],
  takesRegion: true,
  async run(context, { wait }, service) {
    const cloud = await context.cloud();
    const view = new ProgressView(context.stderr, context.progressPaint, context.clock);
    const watching = new AbortController();
    const release = context.onInterrupt(() =>
      watching.abort(new TandemError('INTERRUPTED', 'you ended the watching; the restart goes on')),
    );
    try {
      const answers = await askRegions(cloud, chosenRegions(context, cloud), async (operations, region) => {
        const services = await servicesToRestart(operations, service as PipelineEnvironment | undefined);
        for (const { name } of services) await operations.restart(name);
        if (!wait) return services.map(({ name }) => ({ service: name, status: 'IN_PROGRESS' }));
        return Promise.all(
          services.map(({ name, deployment }) =>
            follow(context, { region, operations, name, before: deployment, view, signal: watching.signal }),
          ),
        );
      });
      view.end({ keep: false });
      if (context.json) context.printJson(answersAsJson(answers, 'deployments'));
      else
        for (const { region, value } of answered(answers))
          for (const { service: name, status } of value)
            context.print(`${region}  ${name}  ${wordOf(status)}`);
      const endings = answered(answers).flatMap(({ value }) => value.map(({ status }) => exitCodeOf(status)));
      return worst([reportFailures(context, answers), ...endings]);
    } finally {
      release();
    }
  },
});

/** A service that runs no release has nothing to restart; that is an error only where it was named. */
async function servicesToRestart(operations: RegionOperations, named: PipelineEnvironment | undefined) {
  const { services } = await operations.status();
  return services.filter(({ name, release }) =>
    named === undefined ? release !== undefined : name === named,
  );
}

interface FollowedRestart {
  region: RegionName;
  operations: RegionOperations;
  name: PipelineEnvironment;
  /** The service's latest deployment before the restart. */
  before: Deployment | undefined;
  view: ProgressView;
  signal: AbortSignal;
}

async function follow(context: CommandContext, restart: FollowedRestart) {
  const { operations, name, before, view } = restart;
  const since = context.clock.now();
  const show = (text: string) => view.set(`${restart.region} ${name}`, { text, since });
  const deployment = await watch({
    operations,
    clock: context.clock,
    signal: restart.signal,
    read: async () => (await operations.status()).services.find(service => service.name === name)?.deployment,
    isSettled(latest) {
      if (latest === undefined || latest.id === before?.id) return false;
      show(latest.waiting ? waitingText(latest.waiting) : wordOf(latest.status));
      return ENDED_DEPLOYMENT_STATUSES.has(latest.status);
    },
    onContact: contact =>
      show(contact === 'lost' ? 'no answer from the region; trying again' : 'contact is back'),
  });
  return { service: name, status: deployment?.status ?? 'IN_PROGRESS' };
}

function wordOf(status: string): string {
  return status === 'SUCCESSFUL' ? 'restarted' : status.toLowerCase().replaceAll('_', ' ');
}

function exitCodeOf(status: string): ExitCode {
  if (status === 'SUCCESSFUL' || status === 'IN_PROGRESS') return EXIT.done;
  return status === 'ROLLBACK_SUCCESSFUL' ? EXIT.rolledBack : EXIT.failed;
}
