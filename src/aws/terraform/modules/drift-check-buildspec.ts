import { scriptBuildspec } from './script-buildspec.ts';

/** What checks; a newer Terraform's state is read by it too. The digest is that of the program for x86-64 Linux. */
const TERRAFORM_VERSION = '1.11.4';
export const TERRAFORM_SHA256 = '268000fca5c61021c6396893d9483007ba589ad9d0aaccbd7dfa8c78bf7dbe23';

/**
 * Plans each stack as `tandem deploy` left it in the bucket of the states, and judges the plan by the program that lies
 * there too, which is `tandem drift`'s own rule (src/aws/operate/drift-check.ts). Variables: STACKS, STATE_BUCKET, TOPIC
 * and, where drift is put back, REAPPLY_ROLE. Ends with 0 where all could be compared and told, drifted or not; a
 * comparison that failed is never taken for a clean one. Exports DRIFT: `none`, or the stacks that had drifted.
 */
export function driftCheckBuildspec(): string {
  return scriptBuildspec(SCRIPT, { exports: { DRIFT: 'drift.txt' } });
}

const SCRIPT = `
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_INPUT=0
curl --fail --silent --show-error --location --retry 3 --output terraform.zip \\
  "https://releases.hashicorp.com/terraform/${TERRAFORM_VERSION}/terraform_${TERRAFORM_VERSION}_linux_amd64.zip"
unzip -q terraform.zip terraform
echo "${TERRAFORM_SHA256}  terraform" | sha256sum --check --quiet
terraform=$PWD/terraform
aws s3 cp --only-show-errors "s3://$STATE_BUCKET/deployed/drift-check.mjs" .

failed=()
drifted=()
for stack in $STACKS; do
  if ! aws s3 cp --only-show-errors --recursive "s3://$STATE_BUCKET/deployed/$stack/" "$stack/"; then
    failed+=("$stack"); continue
  fi
  if [ ! -f "$stack/main.tf.json" ]; then
    echo "$stack: tandem deploy has left nothing to compare with" >&2
    failed+=("$stack"); continue
  fi
  if ! "$terraform" -chdir="$stack" init -no-color > init.log 2>&1; then
    cat init.log >&2; failed+=("$stack"); continue
  fi
  if ! "$terraform" -chdir="$stack" plan -no-color -lock-timeout="\${LOCK_TIMEOUT:-10m}" -out=drift.tfplan > plan.log 2>&1; then
    cat plan.log >&2; failed+=("$stack"); continue
  fi
  "$terraform" -chdir="$stack" show -json drift.tfplan > plan.json
  node drift-check.mjs "$stack" "$stack/main.tf.json" plan.json > verdict.json
  rm plan.json
  if [ "$(jq -r .verdict verdict.json)" = clean ]; then echo "$stack: as it was deployed"; continue; fi
  drifted+=("$stack")
  jq -r .text verdict.json | tee report.txt
  ending="Put it back: tandem deploy. Or write it into tandem.config.ts, if it is to stay."
  if [ -n "\${REAPPLY_ROLE:-}" ]; then
    if [ "$(jq -r .verdict verdict.json)" != mendable ]; then
      ending="It was not put back, since more than that would change: look with tandem drift and tandem plan."
    else
      credentials=$(aws sts assume-role --role-arn "$REAPPLY_ROLE" --role-session-name tandem-drift --query Credentials)
      if env AWS_ACCESS_KEY_ID="$(jq -r .AccessKeyId <<< "$credentials")" \\
        AWS_SECRET_ACCESS_KEY="$(jq -r .SecretAccessKey <<< "$credentials")" \\
        AWS_SESSION_TOKEN="$(jq -r .SessionToken <<< "$credentials")" \\
        "$terraform" -chdir="$stack" apply -no-color drift.tfplan > apply.log 2>&1
      then ending="It was put back."
      else
        cat apply.log >&2; failed+=("$stack")
        ending="It could not all be put back: look with tandem drift."
      fi
    fi
  fi
  printf '\\n%s\\n' "$ending" | tee -a report.txt
  aws sns publish --topic-arn "$TOPIC" --subject "Changed outside Terraform: $stack" --message file://report.txt > sent.json
done
rm -f ./*/drift.tfplan
if [ "\${#drifted[@]}" -eq 0 ]; then echo none; else echo "\${drifted[*]}"; fi > drift.txt
if [ "\${#failed[@]}" -gt 0 ]; then
  echo "Not compared, or not put back: \${failed[*]}" >&2
  exit 1
fi
`;
