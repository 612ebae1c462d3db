import { fileURLToPath } from 'node:url';
import { createAwsCost } from './aws-cost.ts';
import { createAwsOperations } from './aws-operations.ts';
import { assert } from './core/assert.ts';
import type { Synthesize } from './cli/synthesize.ts';
import type { Config } from './model/config/schema.ts';
import { toSentError } from './local/supervisor-messages.ts';
import { systemClock } from './platform/clock.ts';
import { doctor } from './doctor.ts';
import { readFileSync } from './platform/files.ts';
import {
  exitProcess,
  exitWhenWritten,
  sendToParent,
  surviveOutputErrors,
  writeErrorIfPossible,
} from './platform/process.ts';

/** What Tandem's own processes are started with; the same in a checkout and in the published package. */
const ENTRY = fileURLToPath(new URL('../bin/tandem.js', import.meta.url));
/** How long a failure may take through the channel to the parent before the process ends. */
const FAREWELL_MS = 100;

/**
 * The only place that chooses clocks, clouds and ports. `internal …` are the processes that Tandem starts for itself.
 * Each kind of process loads only what it needs: that is most of its memory and of the time it takes to start.
 */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] === 'internal') {
    await runInternal(argv.slice(1));
    return;
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  const { systemPorts } = await import('./cli/system-ports.ts');
  const { createRegionClient } = await import('./api/region-client.ts');
  const { createLifecycle } = await import('./local/lifecycle.ts');
  const lifecycle = createLifecycle({
    connect: createRegionClient,
    program: { version: ownVersion(), entry: ENTRY },
  });
  // The typed provider is large and most commands never need it.
  const synthesize: Synthesize = async (config, options) => {
    const { terraformFiles } = await import('./aws/terraform/files.ts');
    const { functionArchives } = await import('./function-archives.ts');
    return terraformFiles(config, options, await functionArchives());
  };
  const cost = createAwsCost();
  const aws = createAwsOperations();
  exitWhenWritten(
    await runCommandLine(argv, systemPorts({ local: lifecycle, synthesize, cost, drawDiagram, doctor, aws })),
  );
}

async function drawDiagram(config: Config): Promise<string> {
  return (await import('./aws/diagram/svg.ts')).drawDiagram(config);
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function runInternal([role, dataDir, subject]: readonly string[]): Promise<void> {
  surviveOutputErrors();
  assert(dataDir !== undefined && subject !== undefined, `internal process ${role} without its arguments`);
  try {
    if (role === 'supervisor') {
      const { runSupervisorProcess } = await import('./supervisor-process.ts');
      await runSupervisorProcess(dataDir, subject, ENTRY);
    } else {
      const { runRegionProcess } = await import('./region-process.ts');
      await runRegionProcess(dataDir, subject);
    }
  } catch (error) {
    sendToParent({ type: 'failed', error: toSentError(error) });
    writeErrorIfPossible(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    systemClock.after(FAREWELL_MS, () => exitProcess(1));
  }
}
