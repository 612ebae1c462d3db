import { mkdir } from '../../platform/files.ts';
import { resolve } from 'node:path';
import { errorMessage, TandemError } from '../../core/error.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import {
  adoptApplication,
  applicationName,
  copyExample,
  isAsGoodAsEmpty,
  type Adoption,
} from '../scaffold.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Make a new application here, or make the application here ready for Tandem',
  details:
    'In an empty folder: an example application, complete. In an application’s folder: only what is missing of ' +
    'tandem.config.ts, buildspec.yml, Dockerfile and .dockerignore, for Node.js, Python, Go or static files. ' +
    'Never overwrites a file.',
  examples: ['tandem init', 'tandem init my-shop'],
  arguments: [{ syntax: '[folder]', description: 'where (default: here); made if it is not there' }],
  takesRegion: false,
  async run(context, _options, argument) {
    const folder = resolve(context.workingFolder, argument ?? '.');
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
    if (madeRepository) context.print('made   a Git repository, branch main');
    for (const line of advice(adoption, isNew)) context.note(line);
    const hasDockerfile = isNew || [...adoption.written, ...adoption.kept].includes('Dockerfile');
    for (const line of nextSteps(argument, { hasDockerfile })) context.note(line);
    return EXIT.done;
  },
});

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

function nextSteps(folder: string | undefined, { hasDockerfile }: { hasDockerfile: boolean }): string[] {
  return [
    '',
    'Next:',
    ...(folder === undefined ? [] : [`  cd ${quoted(folder)}`]),
    ...(hasDockerfile ? [] : ['  # write a Dockerfile: what is pushed is built by it']),
    '  git add -A && git commit -m "First version"',
    '  tandem up --detach',
    '  tandem push',
  ];
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./~+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
