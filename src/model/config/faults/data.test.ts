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
];

expectFaults(...DATA);
