import { HOURS_A_MONTH, UnknownPrice, type Charge, type Rule } from '../account.ts';
import { isPriceId } from '../price-table.ts';
import { first, listOf, numberOf, textOf } from '../resource.ts';

function instance(item: string, name: string, hours: number): Charge {
  if (!isPriceId(name)) throw new UnknownPrice(`no price for ${name}`);
  return { item, price: name, quantity: hours };
}

const database: Rule = ({ values }) => {
  const copies = values['multi_az'] === true ? 2 : 1;
  const storageGb = numberOf(values['allocated_storage'], 20);
  return [
    instance('database instance', textOf(values['instance_class']), copies * HOURS_A_MONTH),
    { item: 'database storage', price: 'databaseStorage', quantity: copies * storageGb },
  ];
};

const auroraCluster: Rule = ({ values }, { usage }) => {
  const isGlobal = textOf(values['global_cluster_identifier']) !== '';
  return [
    { item: 'database storage', price: 'auroraStorage', quantity: usage.databaseGb },
    {
      item: 'database requests',
      price: 'auroraRequests',
      quantity: usage.databaseReadsMillions + usage.databaseWritesMillions,
    },
    ...(isGlobal
      ? [
          {
            item: 'replicated writes',
            price: 'auroraReplication' as const,
            quantity: usage.databaseWritesMillions,
          },
        ]
      : []),
  ];
};

const auroraInstance: Rule = (resource, account) => {
  const name = textOf(resource.values['instance_class']);
  if (name !== 'db.serverless') return [instance('database instance', `aurora ${name}`, HOURS_A_MONTH)];
  const cluster = account.referredTo(resource, 'aws_rds_cluster');
  const capacity = numberOf(
    first(cluster?.values['serverlessv2_scaling_configuration'])['min_capacity'],
    0.5,
  );
  return [{ item: 'database capacity', price: 'auroraCapacity', quantity: capacity * HOURS_A_MONTH }];
};

/** What Tandem notes for itself (which refs were replicated) is some kilobytes, some times for each push. */
const NOTES_GB = 0.01;
const NOTES_PER_BUILD = 100;

/** Each replica holds all data and takes all writes. A table of an environment is the application's. */
const table: Rule = ({ values, environment }, { usage }) => {
  const isOwn = environment === 'shared';
  const storedGb = isOwn ? NOTES_GB : usage.databaseGb;
  const notes = (usage.builds * NOTES_PER_BUILD) / 1e6;
  const copies = 1 + listOf(values['replica']).length;
  const hasBackup = first(values['point_in_time_recovery'])['enabled'] === true;
  return [
    { item: 'table storage', price: 'tableStorage', quantity: copies * storedGb },
    { item: 'table reads', price: 'tableReads', quantity: isOwn ? notes : usage.databaseReadsMillions },
    {
      item: 'table writes',
      price: 'tableWrites',
      quantity: copies * (isOwn ? notes : usage.databaseWritesMillions),
    },
    { item: 'table backup', price: 'tableBackup', quantity: hasBackup ? storedGb : 0 },
  ];
};

const secret: Rule = ({ values }) => [
  { item: 'secrets', price: 'secret', quantity: 1 + listOf(values['replica']).length },
];

/** A region of this size, in a month: rough, and marked so by the prices being unconfirmed. */
const RECORDED_CHANGES = 500;
const RULE_EVALUATIONS = 500;
const AUDIT_EVENTS_MILLIONS = 0.5;
const SECURITY_CHECKS = 1500;

const threatDetection: Rule = (_resource, { usage }) => [
  { item: 'threat detection', price: 'threatEvents', quantity: AUDIT_EVENTS_MILLIONS },
  { item: 'threat detection traffic', price: 'threatTraffic', quantity: usage.flowLogGb },
];

export const dataAndSecurityRules: Readonly<Record<string, Rule>> = {
  aws_db_instance: database,
  aws_rds_cluster: auroraCluster,
  aws_rds_cluster_instance: auroraInstance,
  aws_dynamodb_table: table,
  aws_secretsmanager_secret: secret,
  aws_kms_key: () => [{ item: 'keys', price: 'key', quantity: 1 }],
  aws_kms_replica_key: () => [{ item: 'keys', price: 'key', quantity: 1 }],
  aws_config_configuration_recorder: () => [
    { item: 'recorded changes', price: 'configurationItem', quantity: RECORDED_CHANGES },
  ],
  aws_config_config_rule: () => [
    { item: 'rule evaluations', price: 'ruleEvaluation', quantity: RULE_EVALUATIONS },
  ],
  aws_guardduty_detector: threatDetection,
  aws_securityhub_account: () => [
    { item: 'security checks', price: 'securityCheck', quantity: SECURITY_CHECKS },
  ],
};
