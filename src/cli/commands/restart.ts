import type { RegionOperations } from '../../model/cloud.ts';
import { ENDED_DEPLOYMENT_STATUSES, type ServiceStatus } from '../../model/deployment.ts';
import { PIPELINE_ENVIRONMENTS, type PipelineEnvironment } from '../../model/names.ts';
import { actOnServices, type ServicesOfRegion } from '../act-on-services.ts';
import { defineCommand } from '../command.ts';
import { EXIT, worst, type ExitCode } from '../exit-code.ts';
import { waitOption } from '../option-values.ts';
import { answered, answersAsJson, reportFailures } from '../regions.ts';
import { waitingText } from '../text/time.ts';

export const restart = defineCommand<{ wait: boolean }>({
  name: 'restart',
  summary: 'Replace every task of a service by a new one of the same release',
  details: 'A rolling deployment, so no request is lost. Without a service: both, where they run a release.',
  examples: [
    'tandem restart production',
    'tandem restart production --target aws',
    'tandem restart staging --region us-west-2',
  ],
  arguments: [{ syntax: '[service]', description: 'which service', choices: PIPELINE_ENVIRONMENTS }],
  options: [waitOption],
  takesRegion: true,
  isForAws: true,
  async run(context, { wait }, service) {
    const cloud = await context.cloud();
    const answers = await actOnServices(context, cloud, 'the restart', async ({ operations, follow }) => {
      const services = await servicesToRestart(operations, service as PipelineEnvironment | undefined);
      for (const { name } of services) await operations.restart(name);
      if (!wait) return services.map(({ name }) => ({ service: name, status: 'IN_PROGRESS' }));
      return Promise.all(services.map(before => followRestart(before, follow)));
    });
    if (context.json) context.printJson(answersAsJson(answers, 'deployments'));
    else
      for (const { region, value } of answered(answers))
        for (const { service: name, status } of value) context.print(`${region}  ${name}  ${wordOf(status)}`);
    const endings = answered(answers).flatMap(({ value }) => value.map(({ status }) => exitCodeOf(status)));
    return worst([reportFailures(context, answers), ...endings]);
  },
});

/** A service that runs no release has nothing to restart; that is an error only where it was named. */
async function servicesToRestart(operations: RegionOperations, named: PipelineEnvironment | undefined) {
  const { services } = await operations.status();
  return services.filter(({ name, release }) =>
    named === undefined ? release !== undefined : name === named,
  );
}

/** `before` is the service as it was: its deployment then is not the restart. */
async function followRestart(before: ServiceStatus, follow: ServicesOfRegion['follow']) {
  const { name } = before;
  const restartOf = ({ deployment }: ServiceStatus) =>
    deployment?.id === before.deployment?.id ? undefined : deployment;
  const service = await follow({
    name,
    describe(now) {
      const deployment = restartOf(now);
      if (!deployment) return 'waiting for the deployment to start';
      return deployment.waiting ? waitingText(deployment.waiting) : wordOf(deployment.status);
    },
    isSettled(now) {
      const deployment = restartOf(now);
      return deployment !== undefined && ENDED_DEPLOYMENT_STATUSES.has(deployment.status);
    },
  });
  return { service: name, status: service.deployment!.status };
}

function wordOf(status: string): string {
  return status === 'SUCCESSFUL' ? 'restarted' : status.toLowerCase().replaceAll('_', ' ');
}

function exitCodeOf(status: string): ExitCode {
  if (status === 'SUCCESSFUL' || status === 'IN_PROGRESS') return EXIT.done;
  return status === 'ROLLBACK_SUCCESSFUL' ? EXIT.rolledBack : EXIT.failed;
}
