import type { Config } from '../../model/config/schema.ts';
import { environmentsIn } from './environments.ts';
import { archivePath, FUNCTION_NAMES, type FunctionArchives } from './function-archives.ts';
import { createNames } from './names.ts';
import { synthesize, type SynthesisOptions, type SynthesizedStack } from './synthesize.ts';
import type { TerraformDocument } from './stack.ts';

export interface TerraformFile {
  /** Relative, with `/`: `us-east-1/main.tf.json`. */
  path: string;
  content: string | Uint8Array;
  /** How many resources it describes; 0 for a document. */
  resources: number;
}

/** The folder that Terraform and OpenTofu take without Tandem: a root module a stack, and a README with the order. */
export function terraformFiles(
  config: Config,
  options: SynthesisOptions,
  archives: FunctionArchives,
): TerraformFile[] {
  const stacks = synthesize(config, options);
  return [
    ...stacks.flatMap(({ name, document }) => [
      {
        path: `${name}/main.tf.json`,
        content: `${JSON.stringify(document, undefined, 2)}\n`,
        resources: Object.values(document.resource ?? {}).flatMap(Object.keys).length,
      },
      ...archivesOf(document, archives).map(({ path, content }) => ({
        path: `${name}/${path}`,
        content,
        resources: 0,
      })),
    ]),
    { path: 'README.md', content: readme(config, stacks, options), resources: 0 },
  ];
}

/** The zips that a stack's functions are made from. */
export function archivesOf(
  { resource }: TerraformDocument,
  archives: FunctionArchives,
): { path: string; content: Uint8Array }[] {
  const functions = Object.values(resource?.['aws_lambda_function'] ?? {});
  return FUNCTION_NAMES.filter(name =>
    functions.some(({ filename }) => String(filename).endsWith(`/${archivePath(name)}`)),
  ).map(name => ({ path: archivePath(name), content: archives.get(name)! }));
}

function readme(config: Config, stacks: readonly SynthesizedStack[], options: SynthesisOptions): string {
  const bootstraps = stacks.filter(({ name }) => name.startsWith('bootstrap-'));
  const others = stacks.filter(stack => !bootstraps.includes(stack));
  const commands = (list: readonly SynthesizedStack[]) =>
    list.map(({ name }) => `terraform -chdir=${name} init && terraform -chdir=${name} apply`).join('\n');
  return `# ${config.application} on AWS

Plain Terraform, written by \`tandem synth\` from \`tandem.config.ts\`: change that and write again. Each folder is a root
module with a state of its own; none reads another's. \`tofu\` works in place of \`terraform\`.
${
  bootstraps.length === 0
    ? ''
    : `
Once, the buckets that hold the state of all others; their own small state stays in these folders, so keep it:

    ${commands(bootstraps).replaceAll('\n', '\n    ')}
`
}
${bootstraps.length === 0 ? 'At first, and after every change:' : 'Then, and after every change:'}

    ${commands(others).replaceAll('\n', '\n    ')}
${secretsToFill(config)}${
    options.protect
      ? `
What holds state refuses to be deleted: \`tandem synth --unprotected\` writes the same without that.
`
      : ''
  }`;
}

/** What nobody but a person knows: a task that refers to a secret without a value does not start. */
function secretsToFill(config: Config): string {
  const variables = Object.entries(config.secrets).filter(([, { generate }]) => !generate);
  if (variables.length === 0) return '';
  const names = createNames(config);
  const [primary] = config.regions;
  const commands = environmentsIn(config, primary!).flatMap(environment =>
    variables.map(
      ([variable]) =>
        `    aws secretsmanager put-secret-value --region ${primary} \\\n` +
        `      --secret-id ${names.secret(environment, variable)} --secret-string file:///dev/stdin`,
    ),
  );
  return `
Once \`foundation\` is there, give these secrets their values; type one, then end the input (Ctrl-D). Tasks do not start
before that. Every other region gets a copy by itself.

${commands.join('\n')}
`;
}
