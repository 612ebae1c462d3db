import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { exampleOf, functionsOf, modulePage, PAGES } from '../../docs/generate-modules.ts';
import * as modules from '../../src/aws/terraform/modules/index.ts';

const FOLDER = join(import.meta.dirname, '../../src/aws/terraform/modules');
const readme = await readFile(join(FOLDER, 'README.md'), 'utf8');

test('the program in the README of the modules writes Terraform with every module in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-modules-'));
  try {
    const entry = pathToFileURL(join(FOLDER, 'index.ts')).href;
    const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
    await writeFile(join(folder, 'program.ts'), blocks.join('').replace("'tandem/modules'", `'${entry}'`));
    await promisify(execFile)(process.execPath, ['program.ts'], { cwd: folder });
    const document = JSON.parse(await readFile(join(folder, 'main.tf.json'), 'utf8')) as {
      resource: Record<string, object>;
    };
    expect(Object.keys(document.resource)).toEqual(
      expect.arrayContaining([
        'aws_budgets_budget',
        'aws_cloudtrail',
        'aws_codecommit_repository',
        'aws_codepipeline',
        'aws_db_instance',
        'aws_dynamodb_table',
        'aws_ecr_repository',
        'aws_ecs_service',
        'aws_guardduty_detector',
        'aws_lambda_function',
        'aws_route53_record',
        'aws_secretsmanager_secret',
        'aws_secretsmanager_secret_rotation',
        'aws_vpc',
        'aws_wafv2_web_acl',
      ]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the README says what every module makes', () => {
  const named = new Set([...readme.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  expect(Object.keys(modules).filter(name => !named.has(name))).toEqual([]);
});

test('every module has a page, which is what its types say (else: npx node docs/generate-modules.ts)', async () => {
  const exported = (Object.keys(modules) as (keyof typeof modules)[]).filter(name => name !== 'Stack');
  expect(Object.values(PAGES).flat().toSorted()).toEqual(exported.toSorted());
  for (const page of Object.keys(PAGES)) {
    const path = join(import.meta.dirname, '../../docs/modules', `${page}.md`);
    expect(await readFile(path, 'utf8'), page).toBe(modulePage(page));
  }
});

test('the program calls every function of every module, so each page has an example that runs', () => {
  const calls = Object.values(PAGES).flat().flatMap(functionsOf);
  expect(calls.filter(({ call }) => exampleOf(call) === undefined)).toEqual([]);
});
