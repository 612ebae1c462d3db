import { REQUIRE_SIGNED } from './image-signature.ts';
import { ENOUGH_SAMPLES } from './release-samples.ts';
import { scriptBuildspec } from './script-buildspec.ts';

/*
 * How a release reaches a service. CodePipeline's own ECS action would take the task definition that runs now and
 * change the image in it: what changed in Terraform would never arrive. It also ends after an hour and does not know
 * native canary deployments. So a build does it: the newest revision of the family, with the release's image by its
 * digest; then it follows the service deployment, which is the same for every strategy, to its true end.
 *
 * ECS knows one canary step or equal ones. Several unequal steps are equal ones of their common divisor, with a pause
 * before each shift: this build continues at once where no step of the configuration is, and after its bake where one
 * is. If the build is gone, the pause times out, and ECS rolls back by itself.
 */

/**
 * Reads, as environment variables of the project: CLUSTER, SERVICE, FAMILY, CONTAINER_NAME, REPOSITORY_NAME, REPOSITORY_URI,
 * ENVIRONMENT, STEPS (a list of `{percent, minutes}` to wait at, as JSON), GATE_PERCENT (the share of requests at which a person is
 * asked; empty: nobody), LIMIT_MINUTES (then the deployment is rolled back), MIGRATION (a command as JSON, or empty),
 * SIGNATURES, SIGNING_KEY (empty: an image needs no signature), IMAGE_PROJECT (which signs), and what `ENOUGH_SAMPLES`
 * reads; and of the build: MODE (`deploy` ends at the gate, `resume` goes on from it, `roll-back`), RELEASE. The image is the one in
 * `imagedefinitions.json` of the source, or without a source the one that is tagged with RELEASE.
 */
export function releaseBuildspec(): string {
  return scriptBuildspec(RELEASE_SCRIPT);
}

const FIND_IMAGE = `
find_image() {
  local image="$REPOSITORY_NAME:$RELEASE"
  if [ -f imagedefinitions.json ]; then
    image=$(jq -er --arg name "$CONTAINER_NAME" '.[] | select(.name == $name) | .imageUri' imagedefinitions.json)
  fi
  case "$image" in
    *@*) digest=\${image##*@} ;;
    *) digest=$(aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="\${image##*:}" \\
         --query 'imageDetails[0].imageDigest' --output text) ;;
  esac
}`;

/** Lifecycle rules keep what has such a tag. The region is in it, for tags are replicated as well. */
const KEEP_IMAGE = `
manifest_of() {
  aws ecr batch-get-image --repository-name "$REPOSITORY_NAME" --image-ids "$1" --accepted-media-types $MEDIA_TYPES \\
    --output json
}
keep() {
  local found manifest
  found=$(manifest_of "$1")
  manifest=$(jq -er '.images[0].imageManifest // empty' <<< "$found") || return 0
  # Refused where the image has the tag already.
  aws ecr put-image --repository-name "$REPOSITORY_NAME" --image-manifest "$manifest" \\
    --image-manifest-media-type "$(jq -r '.images[0].imageManifestMediaType' <<< "$found")" \\
    --image-tag "in-use-$ENVIRONMENT-$AWS_REGION-$2" > /dev/null 2> put-image.log ||
    grep -q ImageAlreadyExistsException put-image.log || { cat put-image.log >&2; return 1; }
}`;

/** ECS does not read the HEALTHCHECK of an image; so it becomes the container's. Without one there is none. */
const HEALTH_CHECK = `
health_check() {
  local manifest config
  manifest=$(manifest_of "imageDigest=$digest" | jq -r '.images[0].imageManifest // "{}"')
  if jq -e '.manifests' <<< "$manifest" > /dev/null; then
    config=$(jq -r '[.manifests[] | select(.platform.os == "linux")][0].digest' <<< "$manifest")
    manifest=$(manifest_of "imageDigest=$config" | jq -r '.images[0].imageManifest // "{}"')
  fi
  config=$(jq -r '.config.digest // empty' <<< "$manifest")
  [ -n "$config" ] || { echo null; return; }
  curl -fsSL "$(aws ecr get-download-url-for-layer --repository-name "$REPOSITORY_NAME" --layer-digest "$config" \\
    --query downloadUrl --output text)" | jq -c '
    def seconds($low; $high; $default): if . == null or . == 0 then $default
      else ([[. / 1000000000 | ceil, $low] | max, $high] | min) end;
    .config.Healthcheck
    | if . == null or .Test == null or .Test[0] == "NONE" then null else {
        command: .Test,
        interval: (.Interval | seconds(5; 300; 30)), timeout: (.Timeout | seconds(2; 60; 5)),
        retries: (.Retries | if . == null or . == 0 then 3 else [., 10] | min end),
        startPeriod: (.StartPeriod | seconds(0; 300; 0))
      } end'
}`;

const REVISE = `
revise() {
  local health
  health=$(health_check)
  aws ecs describe-task-definition --task-definition "$FAMILY" --include TAGS --output json | jq \\
    --arg name "$CONTAINER_NAME" --arg image "$REPOSITORY_URI@$digest" \\
    --arg digest "$digest" --arg release "$RELEASE" --argjson health "$health" '
    (.tags // []) as $tags
    | .taskDefinition
    | {family, taskRoleArn, executionRoleArn, networkMode, containerDefinitions, volumes, placementConstraints,
       requiresCompatibilities, cpu, memory, runtimePlatform, ephemeralStorage}
    | with_entries(select(.value != null))
    | if ($tags | length) > 0 then .tags = $tags else . end
    | .containerDefinitions |= map(
        if .name == $name then
          del(.command, .entryPoint, .healthCheck) | .image = $image
          | if $health == null then . else .healthCheck = $health end
          | .environment = ([.environment[]? | select(.name != "RELEASE" and .name != "RELEASE_DIGEST")]
              + [{name: "RELEASE", value: $release}, {name: "RELEASE_DIGEST", value: $digest}])
        else . end)' > task-definition.json
  revision=$(aws ecs register-task-definition --cli-input-json file://task-definition.json \\
    --query 'taskDefinition.taskDefinitionArn' --output text)
}`;

/** The new revision's own task, with another command, in the service's network; nothing is released if it fails. */
const MIGRATE = `
migrate() {
  [ -n "$MIGRATION" ] || return 0
  local service task stopped code
  service=$(aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" --output json)
  task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$revision" --launch-type FARGATE --count 1 \\
    --started-by "release-\${RELEASE:0:28}" --propagate-tags TASK_DEFINITION \\
    --network-configuration "$(jq -c '.services[0].networkConfiguration' <<< "$service")" \\
    --overrides "$(jq -nc --arg name "$CONTAINER_NAME" --argjson command "$MIGRATION" \\
      '{containerOverrides: [{name: $name, command: $command}]}')" \\
    --query 'tasks[0].taskArn' --output text)
  if [ "$task" = None ]; then echo "ECS started no task for the migration: nothing was released." >&2; exit 1; fi
  echo "Migrating in $task"
  until stopped=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --output json) &&
    [ "$(jq -r '.tasks[0].lastStatus' <<< "$stopped")" = STOPPED ]; do
    if [ "$(date +%s)" -gt "$limit" ]; then
      aws ecs stop-task --cluster "$CLUSTER" --task "$task" --reason 'The release took too long' > /dev/null
      echo "The migration did not end within $LIMIT_MINUTES minutes: nothing was released." >&2
      exit 1
    fi
    sleep "$POLL_SECONDS"
  done
  code=$(jq -r --arg name "$CONTAINER_NAME" '.tasks[0].containers[] | select(.name == $name) | .exitCode // "none"' \\
    <<< "$stopped")
  if [ "$code" != 0 ]; then
    echo "The migration failed with exit code $code ($(jq -r '.tasks[0].stoppedReason' <<< "$stopped")):" \\
      "nothing was released. Its log is in the log group of the tasks." >&2
    exit 1
  fi
}`;

const FOLLOW = `
# One in a line, the newest first, each with the revision that it brings.
deployments() {
  local listed revisions
  listed=$(aws ecs list-service-deployments --cluster "$CLUSTER" --service "$SERVICE" --max-results 20 --output json)
  mapfile -t revisions < <(jq -r '[.serviceDeployments[].targetServiceRevisionArn] | unique[]' <<< "$listed")
  aws ecs describe-service-revisions --service-revision-arns "\${revisions[@]}" --output json |
    jq -r --argjson listed "$listed" '(.serviceRevisions | map({(.serviceRevisionArn): .taskDefinition}) | add) as $brings
      | $listed.serviceDeployments[] | "\\(.serviceDeploymentArn) \\($brings[.targetServiceRevisionArn])"'
}
roll_back() {
  echo "$1: rolling back" >&2
  is_stopped=1
  aws ecs stop-service-deployment --service-deployment-arn "$deployment" --stop-type ROLLBACK > /dev/null
}
# At a pause: waits as long as the step there asks, then goes on, or leaves it to a person.
at_pause() {
  local hook=$1 share=$2 answer=$3
  if [ "$hook $share" != "$pause" ]; then
    pause="$hook $share" since=$(date +%s)
    minutes=$(jq -r --argjson share "$share" '[.[] | select(.percent == $share) | .minutes][0] // 0' <<< "$STEPS")
    # It has been waited here, and a person was asked.
    if [ -n "$is_resumed" ]; then minutes=0; fi
    if [ "$minutes" != 0 ]; then
      echo "$share % of requests go to the new release; it must do well for $minutes minutes"
    fi
  fi
  if [ "$(date +%s)" -lt $((since + minutes * 60)) ] || [ "$pause" = "$continued" ]; then return 0; fi
  if [ -z "$is_resumed" ] && ! enough_samples "$answer" "$share"; then return 0; fi
  if [ "$share" = "$GATE_PERCENT" ] && [ -z "$is_resumed" ]; then
    echo "$share % of requests go to the new release: a person decides whether the rest does."
    exit 0
  fi
  aws ecs continue-service-deployment --service-deployment-arn "$deployment" --hook-id "$hook" --action CONTINUE \\
    > /dev/null
  continued=$pause is_resumed=
}
# To the true end: a deployment that was rolled back is no success.
follow() {
  local answer status hook share reason last= misses=0
  while :; do
    if ! answer=$(aws ecs describe-service-deployments --service-deployment-arns "$deployment" --output json); then
      misses=$((misses + 1))
      if [ "$misses" -ge 30 ]; then
        echo "ECS no longer answers: how $deployment ends is not known. See it in the console." >&2
        exit 1
      fi
      sleep "$POLL_SECONDS"
      continue
    fi
    misses=0
    IFS=$'\\t' read -r status hook share reason < <(jq -r '.serviceDeployments[0] | [
        .status,
        ([.lifecycleHookDetails[]? | select(.targetType == "PAUSE" and .status == "AWAITING_ACTION") | .hookId][0] // "-"),
        (.targetServiceRevision.requestedProductionTrafficWeight // 0 | floor),
        ([.lifecycleStage // empty, .statusReason // empty] | join(": "))
      ] | @tsv' <<< "$answer")
    if [ "$status $reason" != "$last" ]; then echo "$status $reason"; last="$status $reason"; fi
    if [ "$share" != "$last_share" ]; then last_share=$share share_since=$(date +%s); fi
    case "$status" in
      SUCCESSFUL) return 0 ;;
      STOPPED|ROLLBACK_SUCCESSFUL|ROLLBACK_FAILED)
        echo "The release did not stay: $status. $reason" >&2
        exit 1 ;;
      IN_PROGRESS)
        if [ -n "$is_stopped" ]; then :
        elif [ "$(date +%s)" -gt "$limit" ]; then
          roll_back "Not done after $LIMIT_MINUTES minutes"
        elif [ "$hook" != - ]; then
          at_pause "$hook" "$share" "$answer"
        fi ;;
    esac
    sleep "$POLL_SECONDS"
  done
}`;

const RELEASE_SCRIPT = `POLL_SECONDS=\${POLL_SECONDS:-10}
MEDIA_TYPES='application/vnd.docker.distribution.manifest.v2+json application/vnd.oci.image.manifest.v1+json
  application/vnd.docker.distribution.manifest.list.v2+json application/vnd.oci.image.index.v1+json'
limit=$(($(date +%s) + LIMIT_MINUTES * 60))
pause= since=0 minutes=0 continued= is_resumed= is_stopped= last_share= share_since=0
${[FIND_IMAGE, REQUIRE_SIGNED, KEEP_IMAGE, HEALTH_CHECK, REVISE, MIGRATE, ENOUGH_SAMPLES, FOLLOW].join('\n')}

case "$MODE" in
  deploy)
    find_image
    require_signed "$digest" 0
    echo "Releasing $REPOSITORY_URI@$digest to $SERVICE"
    keep "imageDigest=$digest" next
    revise
    migrate
    aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$revision" \\
      --query 'service.status' --output text > /dev/null
    # Another release may have begun one since: the revision is this one's alone.
    until listed=$(deployments) && deployment=$(awk -v own="$revision" '$2 == own { print $1 }' <<< "$listed") &&
      [ -n "$deployment" ]; do
      if [ "$(date +%s)" -gt "$limit" ]; then
        echo "ECS shows no deployment of $revision: how the release ends is not known. See it in the console." >&2
        exit 1
      fi
      sleep "$POLL_SECONDS"
    done ;;
  resume)
    find_image
    is_resumed=1
    listed=$(deployments)
    read -r deployment revision <<< "$listed"
    image=$(aws ecs describe-task-definition --task-definition "$revision" --output json |
      jq -r --arg name "$CONTAINER_NAME" '.taskDefinition.containerDefinitions[] | select(.name == $name) | .image')
    if [ "$image" != "$REPOSITORY_URI@$digest" ]; then
      echo "Another release has taken its place meanwhile: $deployment brings $image" >&2
      exit 1
    fi ;;
  roll-back)
    # Nothing more is asked than is needed: whatever else fails, this must not.
    deployment=$(aws ecs list-service-deployments --cluster "$CLUSTER" --service "$SERVICE" --max-results 1 \\
      --query 'serviceDeployments[0].serviceDeploymentArn' --output text)
    echo "Rolling $deployment back"
    aws ecs stop-service-deployment --service-deployment-arn "$deployment" --stop-type ROLLBACK > /dev/null
    exit 0 ;;
esac
echo "Deployment $deployment"
follow
keep "imageTag=in-use-$ENVIRONMENT-$AWS_REGION-now" before
keep "imageDigest=$digest" now
`;
