import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  type Container,
  type Service,
  type Task,
} from '@aws-sdk/client-ecs';
import { HOUR_MS } from '../../../core/duration.ts';
import type { Instant } from '../../../core/instant.ts';
import type { TaskStop } from '../../../model/diagnosis.ts';
import type { Looking } from './looking.ts';
import type { ServicePlace } from './observe-service.ts';

/** As many as one call describes. ECS itself forgets them after an hour. */
const MOST_TASKS = 100;
/** SIGKILL: what the kernel sends where memory runs out. */
const KILLED = 137;

/** Tasks that ended, the newest first; those that a deployment or autoscaling took away in good order left out. */
export async function stoppedTasks(
  looking: Looking,
  { environment, cluster, service, container }: ServicePlace,
): Promise<TaskStop[]> {
  const what = `${environment}: stopped tasks`;
  const listed = await looking.ask(
    { what, permission: 'ecs:ListTasks', client: new ECSClient(looking.settings) },
    client =>
      client.send(
        new ListTasksCommand({
          cluster,
          serviceName: service,
          desiredStatus: 'STOPPED',
          maxResults: MOST_TASKS,
        }),
      ),
  );
  const tasks = listed?.taskArns ?? [];
  if (tasks.length === 0) return [];
  const described = await looking.ask(
    { what, permission: 'ecs:DescribeTasks', client: new ECSClient(looking.settings) },
    client => client.send(new DescribeTasksCommand({ cluster, tasks })),
  );
  return (described?.tasks ?? [])
    .flatMap(task => stopOf(task, container))
    .sort((one, other) => other.at - one.at);
}

function stopOf(task: Task, containerName: string): TaskStop[] {
  const at = (task.stoppedAt ?? task.stoppingAt)?.getTime();
  const { stoppedReason = '', containers = [] } = task;
  // Amazon ECS developer guide, "Stopped tasks error messages".
  if (at === undefined || stoppedReason.startsWith('Scaling activity initiated by')) return [];
  const own = containers.find(({ name }) => name === containerName);
  const telling = containers.find(({ reason }) => /^\w+Error\b/.test(reason ?? '')) ?? own;
  return [
    {
      taskId: task.taskArn?.split('/').at(-1) ?? '',
      at,
      reason: reasonOf(task, telling),
      ...(own?.exitCode !== undefined && { exitCode: own.exitCode }),
    },
  ];
}

function reasonOf({ stoppedReason = '', stopCode }: Task, container: Container | undefined): string {
  if (container?.reason !== undefined && container.reason !== '') return container.reason;
  // A task that ECS takes away is killed too, where it does not end in time: that says nothing of memory.
  if (container?.exitCode === KILLED && stopCode === 'EssentialContainerExited') {
    return `${stoppedReason} (killed with exit code ${KILLED}, as by OutOfMemory)`;
  }
  return stoppedReason === '' ? (stopCode ?? 'no reason was given') : stoppedReason;
}

/** What the service itself has said of images that cannot be pulled: it may hold back before there is a task. */
export function pullFailuresOf({ events = [] }: Service, now: Instant): TaskStop[] {
  return events.flatMap(({ id = '', createdAt, message = '' }) => {
    const at = createdAt?.getTime() ?? 0;
    return now - at <= HOUR_MS && /CannotPull(Container|Image)/.test(message)
      ? [{ taskId: id, at, reason: message }]
      : [];
  });
}
