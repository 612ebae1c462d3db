/** What a resource is called by its ARN, and the command that deletes it. */
interface Kind {
  /** Matched against what follows the account in an ARN, `service:rest`. */
  pattern: RegExp;
  /** Terraform's name of the type: by it a price is found. */
  type: string;
  /** `$1` is the pattern's first group, `$arn` the whole ARN; the region is added. */
  command: string;
}

/** Only kinds that an application of ours may leave; the first that fits. */
const KINDS: readonly Kind[] = [
  {
    pattern: /^ec2:natgateway\/(.+)$/,
    type: 'aws_nat_gateway',
    command: 'ec2 delete-nat-gateway --nat-gateway-id $1',
  },
  { pattern: /^ec2:elastic-ip\/(.+)$/, type: 'aws_eip', command: 'ec2 release-address --allocation-id $1' },
  {
    pattern: /^ec2:vpc-endpoint\/(.+)$/,
    type: 'aws_vpc_endpoint',
    command: 'ec2 delete-vpc-endpoints --vpc-endpoint-ids $1',
  },
  {
    pattern: /^ec2:vpc-flow-log\/(.+)$/,
    type: 'aws_flow_log',
    command: 'ec2 delete-flow-logs --flow-log-ids $1',
  },
  { pattern: /^ec2:subnet\/(.+)$/, type: 'aws_subnet', command: 'ec2 delete-subnet --subnet-id $1' },
  {
    pattern: /^ec2:security-group\/(.+)$/,
    type: 'aws_security_group',
    command: 'ec2 delete-security-group --group-id $1',
  },
  { pattern: /^ec2:vpc\/(.+)$/, type: 'aws_vpc', command: 'ec2 delete-vpc --vpc-id $1' },
  {
    pattern: /^elasticloadbalancing:loadbalancer\/.+$/,
    type: 'aws_lb',
    command: 'elbv2 delete-load-balancer --load-balancer-arn $arn',
  },
  {
    pattern: /^elasticloadbalancing:targetgroup\/.+$/,
    type: 'aws_lb_target_group',
    command: 'elbv2 delete-target-group --target-group-arn $arn',
  },
  {
    pattern: /^ecs:service\/([^/]+)\/(.+)$/,
    type: 'aws_ecs_service',
    command: 'ecs delete-service --force --cluster $1 --service $2',
  },
  { pattern: /^ecs:cluster\/(.+)$/, type: 'aws_ecs_cluster', command: 'ecs delete-cluster --cluster $1' },
  {
    pattern: /^ecs:task-definition\/(.+)$/,
    type: 'aws_ecs_task_definition',
    command: 'ecs deregister-task-definition --task-definition $1',
  },
  { pattern: /^kms:key\/(.+)$/, type: 'aws_kms_key', command: 'kms schedule-key-deletion --key-id $1' },
  {
    pattern: /^ecr:repository\/(.+)$/,
    type: 'aws_ecr_repository',
    command: 'ecr delete-repository --force --repository-name $1',
  },
  { pattern: /^s3:(.+)$/, type: 'aws_s3_bucket', command: 's3 rb --force s3://$1' },
  {
    pattern: /^codecommit:(.+)$/,
    type: 'aws_codecommit_repository',
    command: 'codecommit delete-repository --repository-name $1',
  },
  {
    pattern: /^codebuild:project\/(.+)$/,
    type: 'aws_codebuild_project',
    command: 'codebuild delete-project --name $1',
  },
  {
    pattern: /^codepipeline:(.+)$/,
    type: 'aws_codepipeline',
    command: 'codepipeline delete-pipeline --name $1',
  },
  {
    pattern: /^logs:log-group:(.+?)(:\*)?$/,
    type: 'aws_cloudwatch_log_group',
    command: 'logs delete-log-group --log-group-name $1',
  },
  {
    pattern: /^cloudwatch:alarm:(.+)$/,
    type: 'aws_cloudwatch_metric_alarm',
    command: 'cloudwatch delete-alarms --alarm-names $1',
  },
  { pattern: /^sns:.+$/, type: 'aws_sns_topic', command: 'sns delete-topic --topic-arn $arn' },
  { pattern: /^sqs:.+$/, type: 'aws_sqs_queue', command: 'sqs delete-queue --queue-url $arn' },
  {
    pattern: /^lambda:function:(.+)$/,
    type: 'aws_lambda_function',
    command: 'lambda delete-function --function-name $1',
  },
  {
    pattern: /^dynamodb:table\/(.+)$/,
    type: 'aws_dynamodb_table',
    command: 'dynamodb delete-table --table-name $1',
  },
  {
    pattern: /^secretsmanager:secret:.+$/,
    type: 'aws_secretsmanager_secret',
    command: 'secretsmanager delete-secret --secret-id $arn',
  },
  {
    pattern: /^rds:db:(.+)$/,
    type: 'aws_db_instance',
    command: 'rds delete-db-instance --skip-final-snapshot --db-instance-identifier $1',
  },
  {
    pattern: /^rds:cluster:(.+)$/,
    type: 'aws_rds_cluster',
    command: 'rds delete-db-cluster --skip-final-snapshot --db-cluster-identifier $1',
  },
  {
    pattern: /^acm:certificate\/.+$/,
    type: 'aws_acm_certificate',
    command: 'acm delete-certificate --certificate-arn $arn',
  },
  {
    pattern: /^route53:healthcheck\/(.+)$/,
    type: 'aws_route53_health_check',
    command: 'route53 delete-health-check --health-check-id $1',
  },
  { pattern: /^iam:role\/(.+)$/, type: 'aws_iam_role', command: 'iam delete-role --role-name $1' },
];

export interface KindOfResource {
  /** Terraform's name of the type; absent where it is none that we make. */
  type?: string;
  /** A command to copy. */
  mend: string;
}

/** What an ARN names, and how to delete it. */
export function kindOf(arn: string, region: string): KindOfResource {
  const [, , service = '', , , ...rest] = arn.split(':');
  const named = `${service}:${rest.join(':')}`;
  for (const { pattern, type, command } of KINDS) {
    const match = pattern.exec(named);
    if (!match) continue;
    const text = command.replace(/\$(arn|1|2)/g, (_, name: string) =>
      name === 'arn' ? arn : match[Number(name)]!,
    );
    return { type, mend: `aws ${text} --region ${region}` };
  }
  return { mend: `look it up in the console of ${region}: ${arn}` };
}
