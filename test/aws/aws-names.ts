import type { TerraformDocument } from '../../src/aws/terraform/stack.ts';

/** What AWS takes as the name of a thing (each service's API reference and quotas page). */
export const LIMITS: Readonly<Record<string, RegExp>> = {
  'aws_accessanalyzer_analyzer.analyzer_name': /^[A-Za-z][\w.-]{0,254}$/,
  'aws_acm_certificate.domain_name': /^(?=.{1,64}$)[a-z0-9.-]+$/,
  'aws_appautoscaling_policy.name': /^.{1,256}$/,
  'aws_appautoscaling_scheduled_action.name': /^.{1,256}$/,
  'aws_arcregionswitch_plan.name': /^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/,
  'aws_arcregionswitch_plan.description': /^.{1,255}$/,
  'aws_budgets_budget.name': /^[^:\\]{1,100}$/,
  'aws_cloudtrail.name': /^(?=.{3,128}$)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/,
  'aws_cloudwatch_composite_alarm.alarm_name': /^.{1,255}$/,
  'aws_cloudwatch_dashboard.dashboard_name': /^[\w-]{1,255}$/,
  'aws_cloudwatch_event_rule.name': /^[\w.-]{1,64}$/,
  'aws_cloudwatch_event_rule.description': /^.{0,512}$/,
  'aws_cloudwatch_log_group.name': /^(?!aws\/)[\w./#-]{1,512}$/,
  'aws_cloudwatch_metric_alarm.alarm_name': /^.{1,255}$/,
  'aws_cloudwatch_metric_alarm.alarm_description': /^.{0,1024}$/,
  'aws_cloudwatch_query_definition.name': /^.{1,255}$/,
  'aws_codebuild_project.name': /^[A-Za-z0-9][\w-]{1,149}$/,
  'aws_codebuild_project.description': /^.{0,255}$/,
  'aws_codeconnections_connection.name': /^.{1,32}$/,
  'aws_codecommit_repository.repository_name': /^(?!.*\.git$)[\w.-]{1,100}$/,
  'aws_codecommit_repository.description': /^.{0,1000}$/,
  'aws_codepipeline.name': /^[\w.@-]{1,100}$/,
  'aws_config_configuration_recorder.name': /^.{1,256}$/,
  'aws_config_delivery_channel.name': /^.{1,256}$/,
  'aws_db_instance.identifier': /^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_db_instance.final_snapshot_identifier': /^(?=.{1,255}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_db_parameter_group.name': /^(?=.{1,255}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_db_subnet_group.name': /^[a-z0-9 ._-]{1,255}$/,
  'aws_dynamodb_table.name': /^[\w.-]{3,255}$/,
  'aws_ecr_repository.name': /^(?=.{2,256}$)[a-z][a-z0-9]*([._/-][a-z0-9]+)*$/,
  'aws_ecr_repository_creation_template.description': /^.{0,256}$/,
  'aws_ecs_cluster.name': /^[\w-]{1,255}$/,
  'aws_ecs_service.name': /^[\w-]{1,255}$/,
  'aws_ecs_task_definition.family': /^[\w-]{1,255}$/,
  'aws_iam_role.name': /^[\w+=,.@-]{1,64}$/,
  'aws_iam_role.description': /^[\t\n\r -~\u00A1-\u00FF]{0,1000}$/,
  'aws_iam_role_policy.name': /^[\w+=,.@-]{1,128}$/,
  'aws_kms_alias.name': /^alias\/(?!aws\/)[\w/-]{1,250}$/,
  'aws_kms_key.description': /^.{0,8192}$/,
  'aws_kms_replica_key.description': /^.{0,8192}$/,
  'aws_lambda_function.function_name': /^[\w-]{1,64}$/,
  'aws_lambda_function.description': /^.{0,256}$/,
  'aws_lb.name': /^(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/,
  'aws_lb_target_group.name': /^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/,
  'aws_rds_cluster.cluster_identifier': /^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_rds_cluster.final_snapshot_identifier': /^(?=.{1,255}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_rds_cluster_instance.identifier': /^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_rds_cluster_parameter_group.name': /^(?=.{1,255}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_rds_global_cluster.global_cluster_identifier': /^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'aws_route53_record.name': /^(?=.{1,253}$)([a-z0-9*-]{1,63}\.)+[a-z0-9-]{2,63}$/,
  'aws_route53_record.set_identifier': /^.{1,128}$/,
  'aws_s3_bucket.bucket':
    /^(?!xn--|sthree-|amzn-s3-demo-)(?=.{3,63}$)[a-z0-9][a-z0-9-]*[a-z0-9](?<!-s3alias|--ol-s3|--x-s3)$/,
  'aws_secretsmanager_secret.name': /^(?!.*-[A-Za-z0-9]{6}$)[\w/+=.@-]{1,512}$/,
  'aws_secretsmanager_secret.description': /^.{0,2048}$/,
  'aws_security_group.name': /^(?!sg-)[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/,
  'aws_security_group.description': /^[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/,
  'aws_sns_topic.name': /^[\w-]{1,256}$/,
  'aws_sqs_queue.name': /^(?=.{1,80}$)[\w-]+(\.fifo)?$/,
  'aws_vpc_security_group_egress_rule.description': /^[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{0,255}$/,
  'aws_vpc_security_group_ingress_rule.description': /^[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{0,255}$/,
  'aws_wafv2_web_acl.name': /^[\w-]{1,128}$/,
  'aws_wafv2_web_acl.description': /^[\w+=:#@/,.\- ]{1,256}$/,
};
/** What a resource is called, or what is said of it; not what it refers to. */
const NAMING = /^(name|family|bucket|identifier|set_identifier|description)$/;
const ELSEWHERE = new Set([
  'aws_config_configuration_recorder_status.name',
  'aws_db_parameter_group.family',
  'aws_rds_cluster_parameter_group.family',
]);
const NAMING_BY_TYPE = new Set(Object.keys(LIMITS));

/** Every name and description in a document, by type and key; what only another resource knows is left out. */
export function namesIn({ resource: all = {} }: TerraformDocument): { key: string; name: string }[] {
  return Object.entries(all).flatMap(([type, resources]) =>
    Object.values(resources).flatMap(resource =>
      Object.entries(resource)
        .filter(([key]) => NAMING.test(key) || NAMING_BY_TYPE.has(`${type}.${key}`))
        .filter(([key]) => !ELSEWHERE.has(`${type}.${key}`))
        .map(([key, value]) => ({ key: `${type}.${key}`, name: resolve(String(value), all) }))
        .filter(({ name }) => !name.includes('${')),
    ),
  );
}

/** A reference to a name of the same document, as that name. */
function resolve(
  text: string,
  resources: Readonly<Record<string, Record<string, Record<string, unknown>>>>,
): string {
  return text.replaceAll(/\$\{(\w+)\.(\w+)\.(\w+)\}/g, (reference, type, name, attribute) => {
    const value = resources[type as string]?.[name as string]?.[attribute as string];
    return typeof value === 'string' ? value : reference;
  });
}
