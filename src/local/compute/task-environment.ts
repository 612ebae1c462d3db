import { environmentConfig } from '../../model/config/environment.ts';
import type { ServiceContext } from '../context.ts';
import type { TaskRecord } from './task-record.ts';

/** What a task is told in its environment, besides what its image says. Tandem's own names win over configured ones. */
export function taskEnvironment(
  context: Pick<ServiceContext, 'config' | 'region'>,
  task: TaskRecord,
): Record<string, string> {
  const { service } = environmentConfig(context.config, task.service);
  return {
    ...service.environment,
    AWS_REGION: context.region,
    AWS_DEFAULT_REGION: context.region,
    APPLICATION: context.config.application,
    ENVIRONMENT: task.service,
    RELEASE: task.release.commit,
    RELEASE_DIGEST: task.release.digest,
    TASK_ID: task.id,
    TASK_ZONE: task.zone,
  };
}
