import { REQUIRE_SIGNED, SIGN } from './image-signature.ts';
import { scriptBuildspec } from './script-buildspec.ts';

/*
 * An image of a commit is made once. Where this region has one, pushed by an earlier execution or replicated from another
 * region, that is the one to release: a second push of its tag would be refused, for tags never move. Else it is built; and
 * if that fails because another region's image came in meanwhile, that one is taken after all.
 *
 * What was built here is signed here: no other build may use the key. What was found must be signed already, for anybody
 * who may push could have put it there.
 */

/**
 * Reads, as environment variables: COMMIT, CONTAINER_NAME, REPOSITORY_NAME, REPOSITORY_URI, BUILD_PROJECT (the one that
 * runs the application's own buildspec), WAIT_MINUTES (how long to wait for another region's image first), SIGNATURES and
 * SIGNING_KEY (empty: nothing is signed); and of a build by hand: SIGN, the digest of an image to sign, and nothing else.
 * Writes `imagedefinitions.json` with the image by its digest.
 */
export function imageBuildspec(): string {
  return scriptBuildspec(IMAGE_SCRIPT, { artifacts: { files: ['imagedefinitions.json'] } });
}

const IMAGE_SCRIPT = `POLL_SECONDS=\${POLL_SECONDS:-10}
# A signature is replicated after its image.
SIGNATURE_SECONDS=\${SIGNATURE_SECONDS:-900}
build=
${[REQUIRE_SIGNED, SIGN].join('\n')}
if [ -n "\${SIGN:-}" ]; then sign "$SIGN"; exit 0; fi
trap '[ -z "$build" ] || aws codebuild stop-build --id "$build" > /dev/null' TERM INT
found() {
  aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids "imageTag=$1" \\
    --query 'imageDetails[0].imageDigest' --output text 2> found.log && return
  grep -q ImageNotFoundException found.log || cat found.log >&2
  return 1
}
define() {
  jq -n --arg name "$CONTAINER_NAME" --arg image "$REPOSITORY_URI@$1" '[{name: $name, imageUri: $image}]' \\
    > imagedefinitions.json
  cat imagedefinitions.json
  exit 0
}
until=$(($(date +%s) + WAIT_MINUTES * 60))
while :; do
  if digest=$(found "$COMMIT"); then
    echo "There is an image of $COMMIT already"
    require_signed "$digest" "$SIGNATURE_SECONDS"
    define "$digest"
  fi
  [ "$(date +%s)" -lt "$until" ] || break
  sleep "$POLL_SECONDS"
done

build=$(aws codebuild start-build --project-name "$BUILD_PROJECT" --source-version "$COMMIT" --query 'build.id' \\
  --output text)
echo "Building $COMMIT in $build; its log: /aws/codebuild/$BUILD_PROJECT"
status=IN_PROGRESS
while [ "$status" = IN_PROGRESS ]; do
  sleep "$POLL_SECONDS"
  status=$(aws codebuild batch-get-builds --ids "$build" --query 'builds[0].buildStatus' --output text) ||
    status=IN_PROGRESS
done
if [ "$status" != SUCCEEDED ]; then
  if digest=$(found "$COMMIT"); then
    echo "The build ended as $status, but another region's image of $COMMIT has come"
    require_signed "$digest" "$SIGNATURE_SECONDS"
    define "$digest"
  fi
  echo "The build of $COMMIT ended as $status; why, says its log: /aws/codebuild/$BUILD_PROJECT" >&2
  exit 1
fi
artifacts=$(aws codebuild batch-get-builds --ids "$build" --query 'builds[0].artifacts.location' --output text)
aws s3 cp --only-show-errors "s3://\${artifacts#arn:aws:s3:::}/imagedefinitions.json" built.json
image=$(jq -er --arg name "$CONTAINER_NAME" '.[] | select(.name == $name) | .imageUri' built.json)
case "$image" in
  *@*) digest=\${image##*@} ;;
  *) digest=$(found "\${image##*:}") ;;
esac
sign "$digest"
define "$digest"
`;
