/*
 * Signatures of images, as Bash that needs no more than a build has: the AWS CLI, curl, jq. They are in the format of
 * cosign (sigstore: "Cosign Signature Specification"), so that cosign verifies them as well: a small JSON text names the
 * image by its digest; it is signed with a key in KMS, and lies in a registry as the layer of an image that is tagged with
 * the digest, its signature in an annotation. That registry is a repository beside the images': who pushes images cannot
 * touch their signatures, and the images' expiry does not count them.
 *
 * Read, as environment variables: SIGNATURES (that repository), SIGNING_KEY (`alias/…`).
 */

/** `require_signed <digest> <seconds to wait for the signature>` ends the script where there is no good one. */
export const REQUIRE_SIGNED = `
# With a good signature of the image $1: 0. Else 1, and why in $refusal; 2 where it may yet come.
verify_signature() {
  local found manifest layer url signature
  refusal="its signature could not be read: see above"
  found=$(aws ecr batch-get-image --repository-name "$SIGNATURES" --image-ids "imageTag=\${1/:/-}.sig" \\
    --accepted-media-types application/vnd.oci.image.manifest.v1+json --output json) || return 1
  if ! manifest=$(jq -er '.images[0].imageManifest // empty' <<< "$found"); then
    refusal="it is not signed"
    return 2
  fi
  refusal="it has no signature in $SIGNATURES that is one"
  while IFS=$'\\t' read -r layer signature; do
    url=$(aws ecr get-download-url-for-layer --repository-name "$SIGNATURES" --layer-digest "$layer" \\
      --query downloadUrl --output text) && curl -fsSL "$url" -o payload.json ||
      { refusal="its signature could not be read: see above"; return 1; }
    if ! jq -e --arg digest "$1" '.critical.image."docker-manifest-digest" == $digest' payload.json > /dev/null; then
      refusal="the signature beside it is another image's"
      continue
    fi
    base64 -d <<< "$signature" > signature.der 2> /dev/null || continue
    if aws kms verify --key-id "$SIGNING_KEY" --message-type RAW --message fileb://payload.json \\
      --signing-algorithm ECDSA_SHA_256 --signature fileb://signature.der \\
      --query SignatureValid --output text > verify.log 2>&1; then
      if [ "$(< verify.log)" = True ]; then return 0; fi
      refusal="its signature does not hold"
    elif grep -q KMSInvalidSignatureException verify.log; then
      refusal="its signature is not by $SIGNING_KEY, or was altered"
    else
      cat verify.log >&2
      refusal="KMS did not verify its signature: see above"
    fi
  done < <(jq -r '.layers[]? | select(.mediaType == "application/vnd.dev.cosign.simplesigning.v1+json")
    | [.digest, .annotations["dev.cosignproject.cosign/signature"] // "-"] | @tsv' <<< "$manifest")
  return 1
}
require_signed() {
  [ -n "$SIGNING_KEY" ] || return 0
  local until=$(($(date +%s) + $2)) result refusal
  while :; do
    result=0
    verify_signature "$1" || result=$?
    if [ "$result" = 0 ]; then return 0; fi
    if [ "$result" = 1 ] || [ "$(date +%s)" -ge "$until" ]; then break; fi
    sleep "$POLL_SECONDS"
  done
  echo "Refused $1: $refusal. If you know where the image comes from, sign it:" \\
    "aws codebuild start-build --project-name $IMAGE_PROJECT --source-type-override NO_SOURCE" \\
    "--artifacts-override type=NO_ARTIFACTS --environment-variables-override name=SIGN,value=$1." \\
    "Else push the commit anew, which builds another image." >&2
  exit 1
}`;

/** `sign <digest>`; also reads REPOSITORY_URI. */
export const SIGN = `
upload() {
  local size digest upload
  size=$(wc -c < "$1")
  digest=sha256:$(sha256sum "$1" | cut -d ' ' -f 1)
  upload=$(aws ecr initiate-layer-upload --repository-name "$SIGNATURES" --query uploadId --output text)
  aws ecr upload-layer-part --repository-name "$SIGNATURES" --upload-id "$upload" --part-first-byte 0 \\
    --part-last-byte $((size - 1)) --layer-part-blob "fileb://$1" > /dev/null
  aws ecr complete-layer-upload --repository-name "$SIGNATURES" --upload-id "$upload" --layer-digests "$digest" \\
    > /dev/null 2> upload.log || grep -q LayerAlreadyExistsException upload.log || { cat upload.log >&2; return 1; }
  jq -n --arg digest "$digest" --argjson size "$size" '{digest: $digest, size: $size}'
}
sign() {
  [ -n "$SIGNING_KEY" ] || return 0
  local signature layer config
  jq -cnj --arg name "$REPOSITORY_URI" --arg digest "$1" '{
      critical: {
        identity: {"docker-reference": $name},
        image: {"docker-manifest-digest": $digest},
        type: "cosign container image signature"
      },
      optional: null
    }' > payload.json
  signature=$(aws kms sign --key-id "$SIGNING_KEY" --message-type RAW --message fileb://payload.json \\
    --signing-algorithm ECDSA_SHA_256 --query Signature --output text)
  layer=$(upload payload.json)
  jq -cnj --argjson layer "$layer" '{
      architecture: "", os: "", created: "0001-01-01T00:00:00Z", config: {},
      rootfs: {type: "layers", diff_ids: [$layer.digest]}, history: [{created: "0001-01-01T00:00:00Z"}]
    }' > config.json
  config=$(upload config.json)
  jq -cnj --argjson layer "$layer" --argjson config "$config" --arg signature "$signature" '{
      schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: ({mediaType: "application/vnd.oci.image.config.v1+json"} + $config),
      layers: [{mediaType: "application/vnd.dev.cosign.simplesigning.v1+json"} + $layer
        + {annotations: {"dev.cosignproject.cosign/signature": $signature}}]
    }' > signature.json
  if ! aws ecr put-image --repository-name "$SIGNATURES" --image-tag "\${1/:/-}.sig" \\
    --image-manifest-media-type application/vnd.oci.image.manifest.v1+json \\
    --image-manifest file://signature.json > /dev/null 2> put-image.log; then
    cat put-image.log >&2
    if grep -q ImageTagAlreadyExistsException put-image.log; then
      echo "$1 has a signature already. If it is no good one, delete it first: aws ecr batch-delete-image" \\
        "--repository-name $SIGNATURES --image-ids imageTag=\${1/:/-}.sig" >&2
    fi
    return 1
  fi
  echo "Signed $1 with $SIGNING_KEY"
}`;
