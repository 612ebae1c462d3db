import { TerraformOutput, TerraformStack, type TerraformElement } from 'cdktn';
import { AwsProvider } from '@cdktn/provider-aws/lib/provider/index.js';
import { RootConstruct, type Node } from 'constructs';
import { assert } from '../../core/assert.ts';
import type { RegionName } from '../../model/names.ts';

/** `use_lockfile` needs 1.10, values that are never written down 1.11. The provider's features are those of this minor. */
const REQUIRED_VERSION = '>= 1.10.0';
const REQUIRED_VERSION_FOR_SECRETS = '>= 1.11.0';
const PROVIDER_VERSION = '~> 6.66';

/** Where a stack's state lies: in a bucket of its own region, or in a file beside the stack. */
export type StateLocation = { kind: 'local' } | { kind: 's3'; bucket: string; key: string };

export interface StackInput {
  name: string;
  region: RegionName;
  state: StateLocation;
  /** On every resource that can carry tags. */
  tags: Readonly<Record<string, string>>;
  /** Terraform refuses to work in any other account; empty: whatever the credentials belong to. */
  accountId: string;
}

/** The part of a Terraform JSON document that is read here; everything else passes through. */
export interface TerraformDocument {
  terraform: Record<string, unknown>;
  resource?: Record<string, Record<string, Record<string, unknown>>>;
  [block: string]: unknown;
}

/**
 * One Terraform root module. Resources are named by their path in the tree of modules and nothing else
 * (`production/service` → `aws_ecs_service.production_service`): names that people can read, and that do not change
 * when something is added beside them.
 */
export class Stack extends TerraformStack {
  readonly region: RegionName;
  private readonly pathByName = new Map<string, string>();
  private readonly state: StateLocation;

  constructor({ name, region, state, tags, accountId }: StackInput) {
    // A root of its own: cdktn's App would write folders, and stacks never refer to each other.
    const root = new RootConstruct();
    root.node.setContext('targetVersions', {
      terraform: REQUIRED_VERSION_FOR_SECRETS,
      opentofu: REQUIRED_VERSION_FOR_SECRETS,
    });
    super(root, name);
    this.region = region;
    this.state = state;
    new AwsProvider(this, 'aws', {
      region,
      defaultTags: [{ tags: { ...tags } }],
      ...(accountId !== '' && { allowedAccountIds: [accountId] }),
    });
  }

  /** The document, as plain Terraform reads it. Throws on what cdktn's own validations find: a bug of a module. */
  document(): TerraformDocument {
    this.prepareStack();
    const faults = this.node.validate();
    assert(faults.length === 0, `stack ${this.node.id} is not valid: ${faults.join('; ')}`);
    const { terraform, ...document } = withoutMetadata(this.toTerraform()) as TerraformDocument;
    return {
      terraform: {
        ...terraform,
        required_version: document['ephemeral'] ? REQUIRED_VERSION_FOR_SECRETS : REQUIRED_VERSION,
        required_providers: { aws: { source: 'hashicorp/aws', version: PROVIDER_VERSION } },
        backend: this.backend(),
      },
      ...document,
    };
  }

  private backend(): Record<string, unknown> {
    if (this.state.kind === 'local') return { local: { path: 'terraform.tfstate' } };
    const { bucket, key } = this.state;
    return { s3: { bucket, key, region: this.region, encrypt: true, use_lockfile: true } };
  }

  protected override allocateLogicalId(element: TerraformElement | Node): string {
    const node = 'node' in element ? element.node : element;
    const path = node.scopes.slice(node.scopes.indexOf(this) + 1).map(scope => scope.node.id);
    // A module's main resource is called like the module: once is enough.
    const parts = path.filter((part, index) => part !== path[index - 1]);
    const name = parts.join('_').replaceAll('-', '_');
    const known = this.pathByName.get(name) ?? node.path;
    assert(known === node.path, `${known} and ${node.path} would both be called ${name}`);
    this.pathByName.set(name, node.path);
    return name;
  }
}

/** A value that Terraform shows, and that other programs may read: `repository-url` is called `repository_url`. */
export function output(stack: Stack, name: string, value: string): void {
  new TerraformOutput(stack, `output-${name}`, { value }).overrideLogicalId(name.replaceAll('-', '_'));
}

/** cdktn notes construct paths under `//` in every block: of no use to who reads the folder. */
function withoutMetadata(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMetadata);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '//')
      .map(([key, entry]) => [key, withoutMetadata(entry)]),
  );
}
