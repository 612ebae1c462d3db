import { join } from 'node:path';
import type { Task } from '../../../model/task.ts';
import { TaskFolder } from '../process/task-folder.ts';
import type { TestRegion } from './region.ts';

/** The processes of a running task: who supervises it, and the task itself. */
export function processesOf(region: TestRegion, task: Task): { supervisor: number; main: number } {
  const processes = new TaskFolder(join(region.folder, 'compute', 'tasks', task.id)).readProcesses();
  if (!processes) throw new Error(`task ${task.id} has no processes`);
  const pid = (identity: string) => Number(identity.split(':')[0]);
  return { supervisor: pid(processes.supervisor), main: pid(processes.main) };
}
