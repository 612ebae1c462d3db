import { errorMessage, TandemError } from '../../../core/error.ts';
import { findProgram, runCommand } from '../../../platform/process.ts';

export interface TerraformProgram {
  path: string;
  /** As people call it, and as commands to copy begin. */
  name: string;
  version: string;
}

/** Native lock files in S3 came with 1.10, in Terraform and in OpenTofu. */
const OLDEST = [1, 10] as const;
const OLDEST_TEXT = OLDEST.join('.');

/** Terraform first: it is what most people have. */
const PROGRAMS = ['terraform', 'tofu'] as const;

/**
 * The Terraform or OpenTofu to work with: the one that was chosen (a name on PATH, or a path), else whichever of the
 * two is there and new enough. Throws TERRAFORM_MISSING or TERRAFORM_TOO_OLD.
 */
export async function findTerraform(chosen?: string): Promise<TerraformProgram> {
  if (chosen !== undefined && chosen !== '') {
    const path = chosen.includes('/') ? chosen : findProgram(chosen);
    if (path === undefined) throw missing(`there is no program ${chosen} on the PATH`);
    return requireNew(await inspect(path, chosen.split('/').at(-1)!));
  }
  const found = PROGRAMS.map(name => ({ name, path: findProgram(name) })).filter(
    ({ path }) => path !== undefined,
  );
  if (found.length === 0) throw missing('there is neither terraform nor tofu on the PATH');
  const programs = await Promise.all(found.map(({ name, path }) => inspect(path!, name)));
  return programs.find(isNewEnough) ?? requireNew(programs[0]!);
}

async function inspect(path: string, name: string): Promise<TerraformProgram> {
  let output: string;
  try {
    output = (await runCommand(path, ['version', '-json'])).stdout;
  } catch (error) {
    throw missing(`${path} cannot be run (${errorMessage(error)})`);
  }
  const version = /"terraform_version":\s*"([^"]+)"/.exec(output)?.[1];
  if (version === undefined) throw missing(`${path} is neither Terraform nor OpenTofu`);
  return { path, name, version };
}

function isNewEnough({ version }: TerraformProgram): boolean {
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function requireNew(program: TerraformProgram): TerraformProgram {
  if (isNewEnough(program)) return program;
  const { name, path, version } = program;
  throw new TandemError(
    'TERRAFORM_TOO_OLD',
    `${path} is version ${version}, and ${OLDEST_TEXT} or newer is needed: install a newer ${name}, or choose another ` +
      'program with --terraform or TANDEM_TERRAFORM',
    { data: { path, version } },
  );
}

function missing(what: string): TandemError {
  return new TandemError(
    'TERRAFORM_MISSING',
    `${what}: install Terraform (https://developer.hashicorp.com/terraform/install) or OpenTofu ` +
      `(https://opentofu.org/docs/intro/install), ${OLDEST_TEXT} or newer, or name it with --terraform or TANDEM_TERRAFORM`,
  );
}
