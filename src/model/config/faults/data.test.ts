import { expect } from 'vitest';
import { expectFaults, type Row } from './expect-faults.ts';

const DATA: Row[] = [
  [
    'a version of another engine',
    { database: { engine: 'postgres', version: '8.4' } },
    'database.version',
    '"8.4"',
    /as `17`, for postgres/,
  ],
  [
    'a class that Aurora does not span regions with',
    { database: { engine: 'aurora-mysql', instanceClass: 'db.t4g.medium' } },
    'database.instanceClass',
    '"db.t4g.medium"',
    /db\.r6g\.large/,
  ],
  [
    'a key of one name',
    { database: { tableKeys: { range: 'pk' } } },
    'database.tableKeys.range',
    '"pk"',
    /another name/,
  ],
  [
    'a variable plain and secret',
    { service: { environment: { TOKEN: 'x' } }, secrets: { TOKEN: {} } },
    'secrets.TOKEN',
    '{}',
    /service\.environment/,
  ],
  [
    'the same in one environment',
    { environments: { staging: { service: { environment: { TOKEN: 'x' } } } }, secrets: { TOKEN: {} } },
    'secrets.TOKEN',
    '{}',
    /environments\.staging/,
  ],
  [
    'secrets alike but for capitals',
    { secrets: { TOKEN: {}, token: {} } },
    'secrets.token',
    '{}',
    /more than capitals/,
  ],
  [
    'a secret’s name too long',
    { secrets: { ['A'.repeat(201)]: {} } },
    `secrets.${'A'.repeat(201)}`,
    `the name "${'A'.repeat(78)}…`,
    /at most 200/,
  ],
  [
    'the database’s own password',
    { service: { environment: { DATABASE_PASSWORD: 'x' } }, database: { engine: 'mysql' } },
    'service.environment.DATABASE_PASSWORD',
    '"x"',
    /the database brings it/,
  ],
  [
    'more secrets than a role may read',
    { secrets: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`SECRET_${n}`, {}])) },
    'secrets',
    expect.stringMatching(/^{"SECRET_0":{}/) as string,
    /9000 characters of ARNs/,
  ],
  [
    'a migration longer than ECS takes',
    { migration: { command: ['sh', '-c', 'x'.repeat(8000)] } },
    'migration.command',
    `["sh","-c","${'x'.repeat(67)}…`,
    /8000 characters as JSON/,
  ],
  [
    'a migration with a NUL',
    { migration: { command: ['sh\0'] } },
    'migration.command[0]',
    '"sh\\u0000"',
    /without NUL/,
  ],
];

expectFaults(...DATA);
