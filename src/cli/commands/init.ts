import { mkdir } from '../../platform/files.ts';
import { join, resolve } from 'node:path';
import { errorMessage, TandemError } from '../../core/error.ts';
import { defineCommand } from '../command.ts';
import { CONFIG_FILE_NAME } from '../config-file-name.ts';
import type { CommandContext } from '../context.ts';
import { createContext } from '../create-context.ts';
import { adoptFromCopilot } from '../copilot/adopt-from-copilot.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { yesOption } from '../option-values.ts';
import {
  adoptApplication,
  applicationName,
  copyExample,
  isAsGoodAsEmpty,
  type Adoption,
} from '../scaffold.ts';
import { reaching } from '../reach.ts';
import { shellWord } from '../text/shell-word.ts';

const MADE_REPOSITORY = 'made   a Git repository, branch main';

interface Options {
  from?: 'copilot';
  service?: string;
  yes: boolean;
}

export const init = defineCommand<Options>({
  name: 'init',
  summary: 'Make a new application here, or make the application here ready for Tandem',
  details:
    'In an empty folder: an example application, complete. In an application’s folder: only what is missing of ' +
    'tandem.config.ts, buildspec.yml, Dockerfile and .dockerignore, for Node.js, Python, Go or static files. ' +
    'Never overwrites a file. ' +
    'With --from copilot: reads the `copilot/` folder of AWS Copilot and writes a tandem.config.ts and a buildspec.yml ' +
    'that say the same, as far as Tandem can; lists every key with what became of it. Asks before it replaces a file.',
  examples: ['tandem init', 'tandem init my-shop', 'tandem init --from copilot --service web'],
  arguments: [{ syntax: '[folder]', description: 'where (default: here); made if it is not there' }],
  options: [
    { flags: '--from <tool>', description: 'take over what this tool was told', choices: ['copilot'] },
    { flags: '--service <name>', description: 'with --from: which of several services' },
    { ...yesOption, description: 'with --from: replace files without asking' },
  ],
  takesRegion: false,
  async run(context, options, argument) {
    const folder = resolve(context.workingFolder, argument ?? '.');
    if (options.from !== undefined) return initFromCopilot(context, { folder, argument, options });
    if (options.service !== undefined) throw new TandemError('USAGE', '--service goes with --from copilot');
    await makeFolder(folder);
    const application = applicationName(folder);
    const isNew = await isAsGoodAsEmpty(folder);
    const adoption: Adoption = isNew
      ? {
          written: await copyExample(context.packageFolder, folder, application),
          kept: [],
          stack: undefined,
        }
      : await adoptApplication(folder, application);
    const madeRepository = await initRepository(context, folder);
    if (context.json) {
      const { written, kept, stack } = adoption;
      context.printJson({ folder, application, written, kept, stack: stack?.name ?? null, madeRepository });
      return EXIT.done;
    }
    for (const file of adoption.written) context.print(`wrote  ${file}`);
    for (const file of adoption.kept) context.print(`kept   ${file}`);
    if (madeRepository) context.print(MADE_REPOSITORY);
    for (const line of advice(adoption, isNew)) context.note(line);
    const hasDockerfile = isNew || [...adoption.written, ...adoption.kept].includes('Dockerfile');
    const after = createContext(context, {
      ...context,
      configPath: join(folder, CONFIG_FILE_NAME),
      dataDir: undefined,
    });
    for (const line of nextSteps(argument, { hasDockerfile, context: after, folder })) context.note(line);
    return EXIT.done;
  },
});

async function initFromCopilot(
  context: CommandContext,
  { folder, argument, options }: { folder: string; argument: string | undefined; options: Options },
): Promise<ExitCode> {
  const isDefault = context.configPath === resolve(context.workingFolder, CONFIG_FILE_NAME);
  const configPath = isDefault ? join(folder, CONFIG_FILE_NAME) : context.configPath;
  const { adoption, isWritten } = await adoptFromCopilot(context, folder, {
    configPath,
    service: options.service,
    yes: options.yes,
  });
  const madeRepository = isWritten && (await initRepository(context, folder));
  const { config, service, environments, remarks, files, advice } = adoption;
  const names = (isNew: boolean) =>
    files.filter(({ state }) => (state !== 'same') === isNew).map(({ name }) => name);
  const [written, kept] = [isWritten ? names(true) : [], names(false)];
  if (context.json) {
    const { application } = config;
    context.printJson({
      folder,
      application,
      service,
      environments,
      written,
      kept,
      madeRepository,
      advice,
      remarks,
    });
    return isWritten ? EXIT.done : EXIT.failed;
  }
  if (!isWritten) {
    context.note('nothing was changed');
    return EXIT.failed;
  }
  for (const file of written) context.print(`wrote  ${file}`);
  for (const file of kept) context.print(`kept   ${file}`);
  if (madeRepository) context.print(MADE_REPOSITORY);
  for (const line of advice) context.note(line);
  const after = createContext(context, { ...context, configPath, dataDir: undefined });
  for (const line of nextSteps(argument, { hasDockerfile: true, context: after, folder })) context.note(line);
  return EXIT.done;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new TandemError(
      'FOLDER_UNUSABLE',
      `${folder} cannot be made: ${errorMessage(error)}; name a folder that is there or can be made`,
      { data: { folder }, cause: error },
    );
  }
}

/** Inside another repository none is made: whether the application is to have its own is not ours to say. */
async function initRepository({ git }: CommandContext, folder: string): Promise<boolean> {
  const { exitCode } = await git(['rev-parse', '--git-dir'], { folder });
  if (exitCode === 0) return false;
  const made = await git(['init', '--quiet', '-b', 'main'], { folder });
  return made.exitCode === 0;
}

function advice({ written, stack, kept }: Adoption, isNew: boolean): string[] {
  if (isNew) return [];
  if (!stack && !kept.includes('Dockerfile')) {
    return ['There is no Dockerfile, and what this application is written in could not be told: write one.'];
  }
  if (!written.includes('Dockerfile')) return [];
  const needs = stack?.bringsServer
    ? ''
    : ': the application must listen on port $PORT (8080), and answer /health with 200';
  return [`The Dockerfile is a beginning for ${stack?.name}${needs}.`];
}

function nextSteps(
  argument: string | undefined,
  { hasDockerfile, context, folder }: { hasDockerfile: boolean; context: CommandContext; folder: string },
): string[] {
  return [
    '',
    'Next:',
    ...(argument === undefined ? [] : [`  cd ${shellWord(argument)}`]),
    ...(hasDockerfile ? [] : ['  # write a Dockerfile: what is pushed is built by it']),
    '  git add -A && git commit -m "First version"',
    reaching(context, '  tandem up --detach', folder),
    reaching(context, '  tandem push', folder),
  ];
}
