import { join } from 'node:path';
import { unreachable } from '../../../core/assert.ts';
import type { InfrastructureStack, StackProgress } from '../../../model/infrastructure.ts';
import { systemClock } from '../../../platform/clock.ts';
import { environment as processEnvironment } from '../../../platform/process.ts';
import { PluginCache } from '../terraform/plugin-cache.ts';
import { findTerraform } from '../terraform/terraform-program.ts';
import { StackWorkspace, type WorkspaceOptions } from '../terraform/stack-workspace.ts';

/** A stack of `terraform_data`, which every Terraform has built in; its state is a file in its folder. */
export function dataStack(
  name: string,
  resources: Record<string, Record<string, unknown>>,
  extra: Partial<InfrastructureStack> & { outputs?: Record<string, unknown> } = {},
): InfrastructureStack {
  const { outputs = {}, ...rest } = extra;
  return {
    name,
    region: name,
    document: {
      terraform: { required_version: '>= 1.10.0', backend: { local: { path: 'terraform.tfstate' } } },
      ...(Object.keys(resources).length > 0 && { resource: { terraform_data: resources } }),
      ...(Object.keys(outputs).length > 0 && {
        output: Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, { value }])),
      }),
    },
    ...rest,
  };
}

/** A resource whose creation runs a shell command. */
export function running(command: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return { input: 'one', provisioner: [{ 'local-exec': { command } }], ...extra };
}

/** Workspaces in a folder, with what they told. */
export async function workspaces(
  root: string,
  options: Partial<WorkspaceOptions> = {},
): Promise<{ open(stack: InfrastructureStack): StackWorkspace; told: string[] }> {
  const told: string[] = [];
  const environment = { ...processEnvironment, XDG_CACHE_HOME: join(root, 'cache') };
  const shared: WorkspaceOptions = {
    program: await findTerraform(),
    root: join(root, 'aws'),
    environment,
    clock: systemClock,
    pluginCache: new PluginCache(environment, systemClock),
    onProgress: (stack, progress) => void told.push(`${stack.name} ${progressText(progress)}`),
    ...options,
  };
  return { told, open: stack => new StackWorkspace(stack, shared) };
}

function progressText(progress: StackProgress): string {
  switch (progress.kind) {
    case 'operation':
      return `${progress.operation} ${progress.state}`;
    case 'resource':
      return `${progress.resource.address} ${progress.resource.action} ${progress.resource.state}`;
    case 'diagnostic':
      return `${progress.diagnostic.severity}: ${progress.diagnostic.summary}`;
    default:
      return unreachable(progress);
  }
}
