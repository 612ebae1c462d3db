import { scriptBuildspec } from './script-buildspec.ts';

/*
 * What a person who is asked wants to know, in one text: the pipeline's e-mail and its console show it with the question.
 * It only reads. What cannot be read is said to be unknown; it never keeps anybody from being asked.
 */

/**
 * Reads, as environment variables: COMMIT, APPLICATION, CONTAINER_NAME, SOURCE_REPOSITORY (of CodeCommit; empty: elsewhere),
 * COMPARE_URL (with FROM and TO where commits go) and COMMIT_URL (with TO), BUILD_PROJECT, REPOSITORY_NAME,
 * STAGING and PRODUCTION (each both cluster and service), STAGING_BALANCER, DRIFT_PROJECT (empty: nobody checks),
 * EXPIRES_AFTER_MINUTES; and `imagedefinitions.json` of the source.
 * Exports SUMMARY.
 */
export function approvalCardBuildspec(): string {
  return scriptBuildspec(CARD_SCRIPT, { exports: { SUMMARY: 'summary.txt' } });
}

/** Each prints one fact, or fails. */
const FACTS = `
commit() {
  if [ -z "$SOURCE_REPOSITORY" ]; then echo "\${COMMIT:0:8}"; return; fi
  aws codecommit get-commit --repository-name "$SOURCE_REPOSITORY" --commit-id "$COMMIT" --output json |
    jq -er --arg id "\${COMMIT:0:8}" '.commit | "\\($id) \\"\\(.message | split("\\n")[0][:120])\\" by \\(.author.name) <\\(.author.email)>"'
}
# CloudTrail has every push to CodeCommit, some minutes later.
pushed_by() {
  aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=GitPush --max-items 200 \\
    --output json | jq -er --arg commit "$COMMIT" '
      [.Events[].CloudTrailEvent | fromjson
        | select(any(.requestParameters.references[]?; .commit == $commit)) | .userIdentity.arn][0]'
}
tests() {
  local builds reports
  builds=$(aws codebuild list-builds-for-project --project-name "$BUILD_PROJECT" --max-items 20 --query ids --output json) ||
    return 1
  [ "$builds" != '[]' ] || { echo 'no build in this region'; return; }
  reports=$(aws codebuild batch-get-builds --ids $(jq -r '.[]' <<< "$builds") --output json |
    jq -r --arg commit "$COMMIT" '[.builds[] | select(.resolvedSourceVersion == $commit)][0] | .reportArns[]?') || return 1
  [ -n "$reports" ] || { echo 'no report'; return; }
  aws codebuild batch-get-reports --report-arns $reports --output json | jq -er '
    [.reports[].testSummary // empty]
    | "\\([.[].statusCounts.SUCCEEDED // 0] | add // 0) passed, \\([.[].statusCounts.FAILED // 0] | add // 0) failed of \\([.[].total] | add // 0)"'
}
scan() {
  local digest
  digest=$(jq -er --arg name "$CONTAINER_NAME" '.[] | select(.name == $name) | .imageUri | split("@")[1]' \\
    imagedefinitions.json) || return 1
  aws ecr describe-image-scan-findings --repository-name "$REPOSITORY_NAME" --image-id "imageDigest=$digest" \\
    --max-items 1 --output json | jq -er '
      .imageScanFindings.findingSeverityCounts // {}
      | if length == 0 then "nothing found" else to_entries | map("\\(.value) \\(.key | ascii_downcase)") | join(", ") end'
}
staging() {
  local service alarms
  service=$(aws ecs describe-services --cluster "$STAGING" --services "$STAGING" --output json |
    jq -er '.services[0] | "\\(.runningCount) of \\(.desiredCount) tasks run"') || return 1
  alarms=$(aws cloudwatch describe-alarms --alarm-name-prefix "$STAGING-" --state-value ALARM --output json |
    jq -er '[.MetricAlarms[].AlarmName] | if length == 0 then "no alarm" else "ALARM: " + join(", ") end') || return 1
  echo "$service, $alarms"
}
# What the release answered in staging, whose canary it has been through.
answers() {
  local balancer queries
  balancer=$(aws elbv2 describe-load-balancers --names "$STAGING_BALANCER" --query 'LoadBalancers[0].LoadBalancerArn' \\
    --output text) || return 1
  queries=$(jq -nc --arg balancer "\${balancer#*:loadbalancer/}" '
    def query($id; $metric; $statistic): {Id: $id, MetricStat: {Period: 3600, Stat: $statistic, Metric: {
      Namespace: "AWS/ApplicationELB", MetricName: $metric, Dimensions: [{Name: "LoadBalancer", Value: $balancer}]}}};
    [query("requests"; "RequestCount"; "Sum"), query("errors"; "HTTPCode_Target_5XX_Count"; "Sum"),
      query("latency"; "TargetResponseTime"; "p99")]')
  aws cloudwatch get-metric-data --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u +%FT%TZ)" \\
    --metric-data-queries "$queries" --output json | jq -er '
      (.MetricDataResults | map({key: .Id, value: .Values}) | from_entries) as $found
      | "\\($found.requests | add // 0 | round) requests, \\($found.errors | add // 0 | round) of them 5xx"
        + ($found.latency | max | if . == null then "" else ", p99 \\(. * 1000 | round) ms" end)'
}
drift() {
  local id
  [ -n "$DRIFT_PROJECT" ] || { echo 'not checked'; return; }
  id=$(aws codebuild list-builds-for-project --project-name "$DRIFT_PROJECT" --max-items 1 --query 'ids[0]' --output text) ||
    return 1
  [ "$id" != None ] || { echo 'not checked yet'; return; }
  aws codebuild batch-get-builds --ids "$id" --output json | jq -er '.builds[0]
    | if .buildStatus == "SUCCEEDED" then .exportedEnvironmentVariables[] | select(.name == "DRIFT") | .value
      elif .buildStatus == "IN_PROGRESS" then "being checked" else "the last check failed" end'
}
in_production() {
  local revision
  revision=$(aws ecs describe-services --cluster "$PRODUCTION" --services "$PRODUCTION" \\
    --query 'services[0].taskDefinition' --output text) || return 1
  aws ecs describe-task-definition --task-definition "$revision" --output json | jq -er --arg name "$CONTAINER_NAME" '
    .taskDefinition.containerDefinitions[] | select(.name == $name) | .environment[]? | select(.name == "RELEASE") | .value'
}`;

/** CodePipeline takes a text of 1,000 characters. */
const CARD_SCRIPT = `${FACTS}
fact() {
  local name=$1 found
  shift
  found=$("$@" 2> fact.log) || { found=unknown; echo "$name: $(< fact.log)" >&2; }
  printf '%s: %s | ' "$name" "$found"
}
changes() {
  local now
  if now=$(in_production 2> /dev/null) && [ -n "$now" ]; then
    sed -e "s|FROM|$now|" -e "s|TO|$COMMIT|" <<< "$COMPARE_URL"
  else
    sed "s|TO|$COMMIT|" <<< "$COMMIT_URL"
  fi
}
{
  printf '%s to production in %s? | ' "$APPLICATION" "$AWS_REGION"
  fact Changes changes
  fact Commit commit
  [ -z "$SOURCE_REPOSITORY" ] || fact 'Pushed by' pushed_by
  fact Tests tests
  fact Scan scan
  fact Staging staging
  fact 'Its last hour' answers
  fact Drift drift
  printf 'Unanswered, it fails at %s UTC' "$(date -u -d "+$EXPIRES_AFTER_MINUTES minutes" +'%F %H:%M')"
} > card.txt
# One line, of characters that no shell and no JSON reads as its own.
tr -d '\\000-\\037\\177\\\\\`$#' < card.txt | tr '"' "'" | cut -b 1-900 | iconv -c -f utf-8 -t utf-8 |
  tr -d '\\n' > summary.txt
cat summary.txt
`;
