/*
 * How a release reaches a service. CodePipeline's own ECS action would take the task definition that runs now and
 * change the image in it: what changed in Terraform would never arrive. It also ends after an hour and does not know
 * native canary deployments. So a build does it: the newest revision of the family, with the release's image by its
 * digest; then it follows the service deployment, which is the same for every strategy, to its true end.
 */

/** Needs CLUSTER, SERVICE, FAMILY, CONTAINER_NAME, REPOSITORY_NAME and RELEASE, and `imagedefinitions.json` in the source. */
export function releaseBuildspec(): string {
  return JSON.stringify({
    version: '0.2',
    env: { shell: 'bash' },
    phases: { build: { 'on-failure': 'ABORT', commands: [RELEASE_SCRIPT] } },
  });
}

const RELEASE_SCRIPT = `set -euo pipefail
image=$(jq -er --arg name "$CONTAINER_NAME" '.[] | select(.name == $name) | .imageUri' imagedefinitions.json)
case "$image" in
  *@*) digest=\${image##*@} ;;
  *) digest=$(aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="\${image##*:}" \\
       --query 'imageDetails[0].imageDigest' --output text) ;;
esac
repository=\${image%%@*}
case "\${repository##*/}" in *:*) repository=\${repository%:*} ;; esac
echo "Releasing $repository@$digest to $SERVICE"

aws ecs describe-task-definition --task-definition "$FAMILY" --include TAGS --output json | jq \\
  --arg name "$CONTAINER_NAME" --arg image "$repository@$digest" \\
  --arg digest "$digest" --arg release "$RELEASE" '
  (.tags // []) as $tags
  | .taskDefinition
  | {family, taskRoleArn, executionRoleArn, networkMode, containerDefinitions, volumes, placementConstraints,
     requiresCompatibilities, cpu, memory, runtimePlatform, ephemeralStorage}
  | with_entries(select(.value != null))
  | if ($tags | length) > 0 then .tags = $tags else . end
  | .containerDefinitions |= map(
      if .name == $name then
        del(.command, .entryPoint) | .image = $image
        | .environment = ([.environment[]? | select(.name != "RELEASE" and .name != "RELEASE_DIGEST")]
            + [{name: "RELEASE", value: $release}, {name: "RELEASE_DIGEST", value: $digest}])
      else . end)' > task-definition.json
revision=$(aws ecs register-task-definition --cli-input-json file://task-definition.json \\
  --query 'taskDefinition.taskDefinitionArn' --output text)

newest() {
  aws ecs list-service-deployments --cluster "$CLUSTER" --service "$SERVICE" --max-results 1 \\
    --query 'serviceDeployments[0].serviceDeploymentArn' --output text
}
before=$(newest)
aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$revision" \\
  --query 'service.status' --output text > /dev/null
deployment=$(newest)
until [ "$deployment" != "$before" ]; do sleep 2; deployment=$(newest); done
echo "Deployment $deployment"

last=
while :; do
  answer=$(aws ecs describe-service-deployments --service-deployment-arns "$deployment" --output json)
  status=$(jq -r '.serviceDeployments[0].status' <<< "$answer")
  reason=$(jq -r '.serviceDeployments[0].statusReason // ""' <<< "$answer")
  if [ "$status $reason" != "$last" ]; then echo "$status $reason"; last="$status $reason"; fi
  case "$status" in
    SUCCESSFUL) exit 0 ;;
    STOPPED|ROLLBACK_SUCCESSFUL|ROLLBACK_FAILED) echo "The release did not stay: $status. $reason" >&2; exit 1 ;;
  esac
  sleep 10
done
`;
