import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { archivePath } from '../../src/aws/terraform/function-archives.ts';
import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';
import { functionArchives } from '../../src/function-archives.ts';

/** Where provider plugins lie on machines that prepare them; TF_PLUGIN_DIR names another folder. */
const PLUGIN_FOLDERS = [process.env['TF_PLUGIN_DIR'], '/usr/local/share/terraform/plugins'];
const PROVIDER = join('registry.terraform.io', 'hashicorp', 'aws', '5.100.0');

export interface Tools {
  pluginFolder: string;
}

/** The tools of the suite, or what is missing. */
export function findTools(): Tools | { missing: string } {
  const pluginFolder = PLUGIN_FOLDERS.find(
    folder => folder !== undefined && existsSync(join(folder, PROVIDER)),
  );
  if (pluginFolder === undefined)
    return { missing: 'AWS provider 5.100.0 in a folder that TF_PLUGIN_DIR names' };
  const missing = ['terraform', 'moto_server'].find(program => !isOnPath(program));
  return missing === undefined ? { pluginFolder } : { missing: `${missing} on PATH` };
}

export function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, program)));
}

export interface Run {
  exitCode: number;
  output: string;
}

/** A folder with one root module in it, and Terraform in that folder. The folder ends with the object. */
export class Workspace implements AsyncDisposable {
  readonly folder: string;
  private readonly tools: Tools;

  constructor(folder: string, tools: Tools) {
    this.folder = folder;
    this.tools = tools;
  }

  async write(document: TerraformDocument): Promise<void> {
    await mkdir(join(this.folder, 'functions'), { recursive: true });
    for (const [name, zip] of await functionArchives()) {
      await writeFile(join(this.folder, archivePath(name)), zip);
    }
    await writeFile(join(this.folder, 'main.tf.json'), JSON.stringify(document, undefined, 2));
  }

  /** A root that has each document as a module. */
  async writeModules(documents: Readonly<Record<string, TerraformDocument>>): Promise<void> {
    const names = Object.keys(documents);
    await this.write({
      terraform: {},
      module: Object.fromEntries(names.map(name => [name, { source: `./${name}` }])),
    });
    for (const name of names) {
      await mkdir(join(this.folder, name));
      await symlink(join('..', 'functions'), join(this.folder, name, 'functions'));
      await writeFile(join(this.folder, name, 'main.tf.json'), JSON.stringify(documents[name]));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  init(): Promise<Run> {
    return this.run('init', '-input=false', `-plugin-dir=${this.tools.pluginFolder}`);
  }

  run(...args: string[]): Promise<Run> {
    const environment = { ...process.env, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
    // A user's own settings could name other mirrors.
    delete (environment as Record<string, string | undefined>)['TF_CLI_CONFIG_FILE'];
    const child = spawn('terraform', [args[0]!, '-no-color', ...args.slice(1)], {
      cwd: this.folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', chunk => (output += String(chunk)));
    child.stderr.on('data', chunk => (output += String(chunk)));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', code => resolve({ exitCode: code ?? -1, output }));
    });
  }
}
