/*
 * A step that hardly anybody sees has shown nothing: without requests there are no errors, and no alarm. So a release goes
 * on from a step only when its target group has had enough requests there, and sends some itself if it is told to.
 */

/**
 * `enough_samples <deployment, as ECS describes it> <share>`: whether the step may end. Reads, as environment variables:
 * MINIMUM_REQUESTS (0: none are needed), SAMPLE_MINUTES (how long they may take to come), LOAD_BALANCER (the dimension of
 * its metrics), SYNTHETIC_URL and SYNTHETIC_PER_SECOND (0: it sends none); and of the script: STEPS, since when it is at
 * the share (`share_since`), `roll_back <reason>`.
 */
export const ENOUGH_SAMPLES = `
SYNTHETIC_SECONDS=\${SYNTHETIC_SECONDS:-10}
sampled_share= samples_until=0 samples_said= synthetic_sent=0
# CloudWatch counts by whole minutes: the one in which the share changed belongs to both.
requests_so_far() {
  local group
  group=$(aws ecs describe-service-revisions \\
    --service-revision-arns "$(jq -r '.serviceDeployments[0].targetServiceRevision.arn' <<< "$1")" \\
    --query 'serviceRevisions[0].resolvedConfiguration.loadBalancers[0].targetGroupArn' --output text) || return 1
  aws cloudwatch get-metric-statistics --namespace AWS/ApplicationELB --metric-name RequestCount \\
    --dimensions "Name=LoadBalancer,Value=$LOAD_BALANCER" "Name=TargetGroup,Value=\${group##*:}" \\
    --start-time "$(date -u -d "@$(((share_since + 59) / 60 * 60))" +%FT%TZ)" \\
    --end-time "$(date -u -d "@$(($(date +%s) + 60))" +%FT%TZ)" --period 60 --statistics Sum --output json |
    jq '[.Datapoints[].Sum] | add // 0 | floor'
}
# As many a second as configured, and for the whole step at most twice what would do.
send_synthetic() {
  local allowed=$((2 * MINIMUM_REQUESTS * 100 / $1)) until
  [ "$SYNTHETIC_PER_SECOND" != 0 ] || return 0
  until=$(($(date +%s) + SYNTHETIC_SECONDS))
  while [ "$synthetic_sent" -lt "$allowed" ] && [ "$(date +%s)" -lt "$until" ]; do
    synthetic_sent=$((synthetic_sent + 1))
    curl -s -o /dev/null --max-time 5 -A 'Tandem-Synthetic/1' "$SYNTHETIC_URL" || true
    sleep "$(jq -n "1 / $SYNTHETIC_PER_SECOND")"
  done
}
enough_samples() {
  local share=$2 count
  if [ "$MINIMUM_REQUESTS" = 0 ] || [ "$share" = 0 ] ||
    ! jq -e --argjson share "$share" 'length == 0 or any(.[]; .percent == $share)' <<< "$STEPS" > /dev/null; then
    return 0
  fi
  if [ "$sampled_share" != "$share" ]; then
    sampled_share=$share samples_until=$(($(date +%s) + SAMPLE_MINUTES * 60)) samples_said= synthetic_sent=0
  fi
  count=$(requests_so_far "$1") || count=unknown
  if [ "$count" != unknown ] && [ "$count" -ge "$MINIMUM_REQUESTS" ]; then
    echo "At $share % the new release had $count requests, of $MINIMUM_REQUESTS needed"
    return 0
  fi
  if [ "$(date +%s)" -ge "$samples_until" ]; then
    roll_back "At $share % the new release had $count of $MINIMUM_REQUESTS requests after $SAMPLE_MINUTES minutes: too few to call it healthy"
    return 1
  fi
  if [ "$count" != "$samples_said" ]; then
    samples_said=$count
    echo "At $share % waiting for requests: $count of $MINIMUM_REQUESTS, until $(date -u -d "@$samples_until" +%H:%M) UTC"
  fi
  send_synthetic "$share"
  return 1
}`;
