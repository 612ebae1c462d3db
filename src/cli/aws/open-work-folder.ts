import { join } from 'node:path';
import { AWS_FOLDER } from '../../model/local-lifecycle.ts';
import type { WorkFolder } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { makeDataFolder } from '../data-folder.ts';
import { interruptible } from './interruption.ts';
import { StackProgressView } from './stack-progress-view.ts';

/** Terraform at work for one command, with its progress and with Ctrl-C; it all ends with the object. */
export interface TerraformSession extends AsyncDisposable {
  work: WorkFolder;
  view: StackProgressView;
  /** Aborted at the first Ctrl-C. */
  stopped: AbortSignal;
}

export async function openWorkFolder(
  context: CommandContext,
  { terraform }: { terraform?: string },
): Promise<TerraformSession> {
  await makeDataFolder(context.dataDir);
  const view = new StackProgressView(context);
  const { release, ...interruption } = interruptible(context, view.note);
  try {
    const work = await context.aws.openWorkFolder({
      root: join(context.dataDir, AWS_FOLDER),
      ...(terraform !== undefined && { program: terraform }),
      interruption,
      onProgress: view.onProgress,
    });
    return {
      work,
      view,
      stopped: interruption.stop,
      async [Symbol.asyncDispose]() {
        release();
        await work.close();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
