import { readFile } from 'node:fs/promises';

/**
 * Who serves: version, region, release (the commit) and task. Tandem and ECS give region and task; on Fargate the
 * task's id is read from its metadata endpoint.
 */
export async function readIdentity(environment) {
  return {
    version: environment.APP_VERSION ?? (await packageVersion()),
    region: environment.AWS_REGION ?? 'local',
    release: environment.RELEASE || 'development',
    taskId: environment.TASK_ID ?? (await fargateTaskId(environment)) ?? 'none',
  };
}

async function packageVersion() {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return JSON.parse(text).version;
}

async function fargateTaskId(environment) {
  const metadata = environment.ECS_CONTAINER_METADATA_URI_V4;
  if (metadata === undefined) return undefined;
  try {
    const response = await fetch(`${metadata}/task`, { signal: AbortSignal.timeout(1_000) });
    const { TaskARN } = await response.json();
    return TaskARN.split('/').at(-1);
  } catch {
    return undefined;
  }
}
