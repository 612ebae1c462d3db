import { TandemError } from '../../../core/error.ts';
import {
  commandArguments,
  environment,
  exitProcess,
  findProgram,
  onSignal,
  spawn,
  writeError,
  writeOutput,
} from '../../../platform/process.ts';
import { parseAwsCall } from './aws/arguments.ts';
import { AWS_CALLS } from './aws/calls.ts';
import { applyQuery, formatOutput } from './aws/query.ts';
import { readSettings, type ToolSettings } from './settings.ts';

/** The AWS CLI's exit codes: 252 for wrong use, 253 where the environment cannot serve the call, 254 for a service's error. */
const EXIT_ENVIRONMENT = 253;
const EXIT_SERVICE = 254;

/**
 * The `aws` that build specifications find on PATH: calls about the region's own registry and account are answered
 * here, every other goes to the machine's AWS CLI where there is one. Its first argument is the settings file.
 */
async function main(settingsPath: string, argv: readonly string[]): Promise<number> {
  const settings = readSettings(settingsPath);
  const call = parseAwsCall(argv);
  const name = `${call.service} ${call.operation}`;
  const operation = Object.hasOwn(AWS_CALLS, name) ? AWS_CALLS[name] : undefined;
  if (operation === undefined) return passOn(settings, argv, name.trim());
  try {
    const answer = await operation({
      settings,
      call,
      withRegistry: async work => {
        const { withRegistry } = await import('./store/registry-access.ts');
        const reference = { registry: settings.registryHost, repository: '' };
        return withRegistry(settings, reference, new AbortController().signal, work);
      },
    });
    if ('text' in answer) {
      writeOutput(`${answer.text}\n`);
      return 0;
    }
    const query = call.options.get('query')?.[0];
    const picked = query === undefined ? answer.document : applyQuery(answer.document, query);
    writeOutput(formatOutput(picked, call.options.get('output')?.[0] ?? 'json'));
    return 0;
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    writeError(`\n${error.message} [${error.code}]\n`);
    return EXIT_SERVICE;
  }
}

function passOn(settings: ToolSettings, argv: readonly string[], name: string): Promise<number> {
  const program = findProgram('aws', [settings.binFolder]);
  if (program === undefined) {
    writeError(
      `aws ${name}: this machine has no AWS CLI, and a local region answers only: ${Object.keys(AWS_CALLS).join(', ')}. Install the AWS CLI, or leave the call out of local builds [AWS_CALL_UNSUPPORTED]\n`,
    );
    return Promise.resolve(EXIT_ENVIRONMENT);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { stdio: 'inherit', env: environment });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      onSignal(signal, () => void child.kill(signal));
    child.on('error', reject);
    child.on('close', code => resolve(code ?? EXIT_SERVICE));
  });
}

const [settingsPath = '', ...argv] = commandArguments;
exitProcess(await main(settingsPath, argv));
