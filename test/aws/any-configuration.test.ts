import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';
import { synthesize } from '../../src/aws/terraform/synthesize.ts';
import { anyConfiguration } from './arbitrary-configuration.ts';
import { LIMITS, namesIn } from './aws-names.ts';
import { danglingReferences } from './references.ts';

test('any valid configuration makes stacks that refer to nothing they lack, with names that AWS takes', () => {
  fc.assert(
    fc.property(
      anyConfiguration,
      fc.constantFrom('s3' as const, 'local' as const),
      fc.boolean(),
      (config, state, protect) => {
        for (const { name, document } of synthesize(config, { state, protect })) {
          expect(danglingReferences(document), name).toEqual([]);
          expect(refusedNames(document), name).toEqual([]);
        }
      },
    ),
    // On a busy machine with fewer.
    { numRuns: 30, interruptAfterTimeLimit: 8_000 },
  );
});

test('a reference to what another stack has, or nobody, is found', () => {
  const document: TerraformDocument = {
    terraform: {},
    resource: {
      aws_lb: { main: { name: '${aws_vpc.gone.id}-${aws_lb.main.name}', text: '$${aws_vpc.none.id}' } },
      aws_eip: {
        one: { depends_on: ['aws_vpc.gone'], id: '${lower("a ${local.b} } ${data.aws_vpc.c.id}")}' },
      },
    },
  };
  expect(danglingReferences(document)).toEqual([
    'resource.aws_lb.main.name: aws_vpc.gone.id',
    'resource.aws_eip.one.depends_on.0: aws_vpc.gone',
    'resource.aws_eip.one.id: local.b',
    'resource.aws_eip.one.id: data.aws_vpc.c.id',
  ]);
});

function refusedNames(document: TerraformDocument): string[] {
  return namesIn(document)
    .filter(({ key, name }) => !LIMITS[key]?.test(name))
    .map(({ key, name }) => `${key}: ${JSON.stringify(name)}`);
}
