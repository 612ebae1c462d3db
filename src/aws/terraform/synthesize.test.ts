import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { awsRegions } from '../../model/config/regions.ts';
import { configSchema } from '../../model/config/schema.ts';
import { terraformFiles } from './files.ts';
import { FUNCTION_NAMES } from './function-archives.ts';
import { literalText } from './literal.ts';
import { synthesize } from './synthesize.ts';

const options = { state: 's3', protect: true } as const;

test('a stack for what each region shares, one for each of its environments, and what each comes after', () => {
  const stacks = synthesize(configSchema.parse({ application: 'storefront' }), options);
  expect(stacks.map(({ name, region, after }) => [name, region, after])).toEqual([
    ['bootstrap-us-east-1', 'us-east-1', []],
    ['bootstrap-us-west-2', 'us-west-2', []],
    ['foundation', 'us-east-1', ['bootstrap-us-east-1']],
    ['us-east-1', 'us-east-1', ['bootstrap-us-east-1']],
    ['us-west-2', 'us-west-2', ['bootstrap-us-west-2']],
    ['us-east-1-staging', 'us-east-1', ['us-east-1', 'foundation']],
    ['us-east-1-production', 'us-east-1', ['us-east-1', 'foundation']],
    ['us-west-2-staging', 'us-west-2', ['us-west-2', 'foundation']],
    ['us-west-2-production', 'us-west-2', ['us-west-2', 'foundation']],
    ['global', 'us-east-1', ['bootstrap-us-east-1']],
  ]);
});

test('with a domain, its proof comes before the regions, belongs to none of them, and is there once', () => {
  const stacks = synthesize(
    configSchema.parse({
      application: 'storefront',
      domain: { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
    }),
    { state: 'local', protect: true },
  );
  expect(stacks.map(({ name, after }) => [name, after])).toEqual([
    ['foundation', []],
    ['us-east-1', []],
    ['us-west-2', []],
    ['us-east-1-staging', ['us-east-1', 'foundation']],
    ['us-east-1-production', ['us-east-1', 'foundation']],
    ['us-west-2-staging', ['us-west-2', 'foundation']],
    ['us-west-2-production', ['us-west-2', 'foundation']],
    ['global', ['us-east-1-staging', 'us-east-1-production', 'us-west-2-staging', 'us-west-2-production']],
  ]);
  const proofs = stacks.flatMap(({ name, document }) =>
    Object.values(document.resource?.['aws_route53_record'] ?? {})
      .filter(record => record['alias'] === undefined)
      .map(() => name),
  );
  expect(proofs).toEqual(['foundation']);
});

test('every name that leads somewhere leads to a record of another stack, and each record is in one stack', () => {
  const stacks = synthesize(
    configSchema.parse({
      application: 'storefront',
      regions: ['us-east-1', 'us-west-2', 'eu-west-1'],
      domain: { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
    }),
    { state: 'local', protect: true },
  );
  const records = stacks.flatMap(({ document }) =>
    Object.values(document.resource?.['aws_route53_record'] ?? {}).filter(record => 'alias' in record),
  );
  const keys = records.map(record => `${String(record['name'])} ${String(record['set_identifier'])}`);
  expect(new Set(keys).size).toBe(keys.length);
  const names = new Set(records.map(record => record['name']));
  const targets = records
    .map(record => (record['alias'] as { name: string }).name)
    .filter(name => !name.startsWith('${'));
  expect(targets.filter(target => !names.has(target))).toEqual([]);
});

test('dev is there where it is asked for, in the primary region, with its own settings', () => {
  const stacks = synthesize(
    configSchema.parse({
      application: 'storefront',
      environments: { dev: { enabled: true, service: { cpu: 512, memoryMb: 1024 } } },
    }),
    options,
  );
  expect(stacks.filter(({ name }) => name.endsWith('-dev')).map(({ name }) => name)).toEqual([
    'us-east-1-dev',
  ]);
  const cpus = stacks.flatMap(({ name, document }) =>
    Object.values(document.resource?.['aws_ecs_task_definition'] ?? {}).map(({ cpu }) => [name, cpu]),
  );
  expect(Object.fromEntries(cpus)).toMatchObject({ 'us-east-1-dev': '512', 'us-east-1-staging': '256' });
});

test('names of resources say where they belong', () => {
  const stacks = synthesize(configSchema.parse({ application: 'storefront' }), options);
  const named = (stack: string, type: string) =>
    Object.keys(stacks.find(({ name }) => name === stack)!.document.resource![type]!);
  expect(named('us-east-1-staging', 'aws_ecs_service')).toEqual(['service']);
  expect(named('us-east-1-production', 'aws_lb')).toEqual(['service_load_balancer']);
  expect(named('us-east-1', 'aws_subnet')).toEqual([
    'network_public_a',
    'network_public_b',
    'network_private_a',
    'network_private_b',
  ]);
});

test('the same configuration gives the same files, byte for byte', () => {
  const config = configSchema.parse({ application: 'storefront' });
  const archives = new Map(FUNCTION_NAMES.map(name => [name, new Uint8Array([1])]));
  expect(terraformFiles(config, options, archives)).toEqual(terraformFiles(config, options, archives));
});

test('networks of regions never overlap', () => {
  const regions = awsRegions.slice(0, 20);
  const stacks = synthesize(
    configSchema.parse({ application: 'storefront', regions: [...regions], network: { firstBlock: 236 } }),
    { state: 'local', protect: true },
  );
  const networks = stacks.flatMap(({ document }) =>
    Object.values(document.resource?.['aws_vpc'] ?? {}).map(vpc => vpc['cidr_block']),
  );
  expect(new Set(networks).size).toBe(20);
  expect(networks.at(-1)).toBe('10.255.0.0/16');
});

test('whatever text a user writes reaches AWS as it is: Terraform reads nothing in it', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const value = `${text}\${aws_vpc.network.id}%{ if true }`;
      const stacks = synthesize(
        configSchema.parse({
          application: 'storefront',
          regions: ['us-east-1'],
          service: { environment: { TEXT: value } },
        }),
        { state: 'local', protect: true },
      );
      const definition = stacks.find(({ name }) => name.endsWith('-staging'))!.document.resource![
        'aws_ecs_task_definition'
      ]!['service_task_definition']!;
      const [container] = JSON.parse(asTerraformReads(String(definition['container_definitions']))) as [
        { environment: { name: string; value: string }[] },
      ];
      expect(container.environment.find(({ name }) => name === 'TEXT')?.value).toBe(value);
    }),
    { numRuns: 8 },
  );
});

test('text of every other key that takes any reaches AWS as it is, too', () => {
  const odd = 'a$${b}%%{c}$${d}\'"😀';
  const stacks = synthesize(
    configSchema.parse({
      application: 'storefront',
      regions: ['us-east-1'],
      pipeline: { branch: odd },
      build: { buildspec: odd, environment: { ODD: odd } },
      migration: { command: ['sh', odd] },
      remediation: { actions: { cpu: 'call' }, hookUrl: 'https://example.com/$${b}%{c}' },
    }),
    { state: 'local', protect: true },
  );
  const found = (stack: string, type: string, name: string) =>
    stacks.find(made => made.name === stack)!.document.resource![type]![name]!;
  const project = found('us-east-1', 'aws_codebuild_project', 'build_project');
  expect(asTerraformReads((project['source'] as { buildspec: string }).buildspec)).toBe(odd);
  expect(variablesOf(project)['ODD']).toBe(odd);
  const release = found('us-east-1-production', 'aws_codebuild_project', 'release_project');
  expect(JSON.parse(variablesOf(release)['MIGRATION']!)).toEqual(['sh', odd]);
  const stages = JSON.stringify(found('us-east-1', 'aws_codepipeline', 'pipeline')['stage']);
  expect(stages).toContain(`"BranchName":${JSON.stringify(literalText(odd))}`);
  const hook = found('us-east-1-production', 'aws_lambda_function', 'remediation_function');
  const { variables } = hook['environment'] as { variables: Record<string, string> };
  expect(asTerraformReads(variables['HOOK_URL']!)).toBe('https://example.com/$${b}%{c}');
});

test('the README says which secrets a person must give a value, and how', () => {
  const files = terraformFiles(
    configSchema.parse({ application: 'storefront', secrets: { API_TOKEN: {}, KEY: { generate: true } } }),
    options,
    new Map(),
  );
  const { content } = files.find(({ path }) => path === 'README.md')!;
  expect(String(content).match(/--secret-id \S+/g)).toEqual([
    '--secret-id storefront/staging/API_TOKEN',
    '--secret-id storefront/production/API_TOKEN',
  ]);
});

function variablesOf(project: Record<string, unknown>): Record<string, string> {
  const { environment_variable: variables } = project['environment'] as {
    environment_variable: { name: string; value: string }[];
  };
  return Object.fromEntries(variables.map(({ name, value }) => [name, asTerraformReads(value)]));
}

/** Terraform's own reading of a template without references. */
function asTerraformReads(template: string): string {
  expect(template.replaceAll(/\$\$\{|%%\{/g, '')).not.toMatch(/[$%]\{(?!aws_|data\.)/);
  return template.replaceAll('$${', () => '${').replaceAll('%%{', '%{');
}
