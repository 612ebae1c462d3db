import type { Environment } from '../../model/names.ts';
import { isRecord, type Manifest } from './manifest.ts';
import type { Remark } from './remark.ts';
import type { CopilotWorkspace } from './workspace.ts';

/** Kinds of Copilot that answer requests from the internet, as Tandem's one service does. */
export const WEB_TYPES: ReadonlySet<string> = new Set([
  'Load Balanced Web Service',
  'Request-Driven Web Service',
]);

const OTHER_TYPES: Readonly<Record<string, string>> = {
  'Backend Service':
    'Tandem’s one service is public: leave it with a tool for inner services, or let the web service do its work',
  'Worker Service':
    'Tandem runs what answers requests: leave it with another tool, or read the queue in the web service',
  'Scheduled Job': 'Tandem runs what answers requests: have EventBridge Scheduler run it as an ECS task',
  'Static Site': 'Tandem runs containers: leave it in S3 and CloudFront, or serve its files from an image',
};

/** Whatever of a workspace one Tandem application does not take in: other workloads, pipelines, add-ons, overrides. */
export function leftBehind(
  workspace: CopilotWorkspace,
  chosen: {
    service: string;
    pipeline: string | undefined;
    environments: Partial<Record<Environment, string>>;
  },
): Remark[] {
  const workloads = workspace.workloads
    .filter(({ name }) => name !== chosen.service)
    .map(({ name, type, manifest }) => whole(manifest, 'type', mendOfWorkload(name, type)));
  const pipelines = workspace.pipelines
    .filter(({ name }) => name !== chosen.pipeline)
    .map(({ manifest }) =>
      whole(manifest, 'name', 'Tandem has one pipeline, and took another one’s settings'),
    );
  const assigned = Object.values(chosen.environments);
  const environments = workspace.environments
    .filter(({ name }) => !assigned.includes(name))
    .map(({ manifest }) =>
      whole(
        manifest,
        'name',
        'Tandem has dev, staging and production; this one is none of them, or one too many',
      ),
    );
  return [
    ...workloads,
    ...pipelines,
    ...environments,
    ...workspace.addons.flatMap(resources),
    ...extras(workspace),
  ];
}

function mendOfWorkload(name: string, type: string): string {
  if (WEB_TYPES.has(type)) {
    return (
      `a ${type}; one Tandem application runs one service: \`tandem init --from copilot --service ${name} ` +
      `--config tandem.${name}.config.ts\` makes an application of it`
    );
  }
  return `a ${type || 'workload without type'}; ${OTHER_TYPES[type] ?? 'Copilot documents no such type'}`;
}

/** CloudFormation templates beside manifests; deleting the Copilot service deletes what they made. */
function resources(template: Manifest): Remark[] {
  const { Resources: declared } = template.value as { Resources?: unknown };
  return Object.entries(isRecord(declared) ? declared : {}).map(([key, resource]) => {
    const type = isRecord(resource) ? String(resource['Type']) : 'unknown';
    const { file } = template;
    return {
      kind: 'left',
      file,
      line: template.lineOf(['Resources', key]),
      key,
      remark: mendOfResource(type),
    };
  });
}

function mendOfResource(type: string): string {
  if (/^AWS::(RDS|DynamoDB|S3|EFS|OpenSearchService|ElastiCache)::/.test(type)) {
    return `${type} holds data, and deleting the Copilot service deletes it: give it DeletionPolicy: Retain and deploy once more first`;
  }
  return `${type}: move it to a CloudFormation stack of its own before the Copilot service is deleted, and it with it`;
}

function extras({ extras: paths }: CopilotWorkspace): Remark[] {
  return paths.map(file => ({
    kind: 'left',
    file,
    line: 1,
    key: '',
    remark: file.endsWith('buildspec.yml')
      ? 'it calls Copilot, so another one is written; carry commands of your own over to it'
      : 'it changes the CloudFormation that Copilot writes; look for a key in docs/configuration.md that does the same',
  }));
}

function whole(manifest: Manifest, key: string, remark: string): Remark {
  return { kind: 'left', file: manifest.file, line: manifest.lineOf([key]), key: '', remark };
}
