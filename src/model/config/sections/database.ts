import { z } from 'zod';
import { ENVIRONMENTS } from '../../names.ts';
import { eachOnce, formed } from './text.ts';

const attributeName = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/;

/** How each engine counts its major versions. */
const VERSIONS: Readonly<Record<string, { form: RegExp; allowed: string }>> = {
  postgres: { form: /^[1-9]\d$/, allowed: 'a major version as `17`' },
  'aurora-postgresql': { form: /^[1-9]\d$/, allowed: 'a major version as `16`' },
  mysql: { form: /^\d\.\d$/, allowed: 'a major version as `8.4`' },
  'aurora-mysql': { form: /^\d\.\d$/, allowed: 'a major version as `8.0`' },
};

export const databaseSchema = z
  .strictObject({
    engine: z
      .enum(['none', 'postgres', 'mysql', 'aurora-postgresql', 'aurora-mysql', 'dynamodb'])
      .default('none')
      .describe(
        'RDS with a standby in a second zone and read replicas in other regions, an Aurora global database, or a DynamoDB global table.',
      ),
    environments: z
      .array(z.enum(ENVIRONMENTS))
      .superRefine(eachOnce)
      .default(['staging', 'production'])
      .describe('Which have one of their own. Only production’s has a standby.'),
    version: formed(/^(\d+(\.\d+)?)?$/, 'a major version as `17` or `8.4`, or empty')
      .default('')
      .describe('Of the engine; empty: PostgreSQL 17 (Aurora 16), MySQL 8.4 (Aurora 8.0).'),
    instanceClass: formed(/^(db\.[a-z0-9-]+\.[a-z0-9]+)?$/, 'as `db.t4g.medium`, or empty')
      .default('')
      .describe('Empty: db.t4g.medium, for Aurora db.r6g.large, the smallest that can span regions.'),
    storageGb: z
      .int()
      .min(20)
      .max(65_536)
      .default(20)
      .describe('For RDS; Aurora and DynamoDB take what they need.'),
    backupDays: z.int().min(1).max(35).default(7).describe('How far back it can be restored to any second.'),
    tableKeys: z
      .strictObject({
        hash: formed(attributeName, 'a name of letters, digits and _ . -, a letter or _ first').default('pk'),
        range: formed(/^([A-Za-z_][A-Za-z0-9_.-]{0,254})?$/, 'such a name, or empty for none').default('sk'),
      })
      .prefault({})
      .describe('The key of a DynamoDB table’s items.'),
  })
  .superRefine(({ engine, version, instanceClass, tableKeys }, context) => {
    const versions = VERSIONS[engine];
    if (versions && version !== '' && !versions.form.test(version)) {
      context.addIssue({
        code: 'custom',
        path: ['version'],
        input: version,
        message: `${versions.allowed}, for ${engine}; or empty`,
      });
    }
    // Aurora user guide, "Limitations of Amazon Aurora global databases".
    if (engine.startsWith('aurora-') && instanceClass !== '' && !/^db\.[rx]/.test(instanceClass)) {
      context.addIssue({
        code: 'custom',
        path: ['instanceClass'],
        input: instanceClass,
        message: 'a class made for memory as `db.r6g.large`, which spanning regions needs; or empty',
      });
    }
    if (tableKeys.hash === tableKeys.range) {
      context.addIssue({
        code: 'custom',
        path: ['tableKeys', 'range'],
        input: tableKeys.range,
        message: `another name than tableKeys.hash (${tableKeys.hash}), or empty for none`,
      });
    }
  });
