import { EphemeralAwsSecretsmanagerRandomPassword } from '@cdktn/provider-aws/lib/ephemeral-aws-secretsmanager-random-password/index.js';
import { SecretsmanagerSecretRotation } from '@cdktn/provider-aws/lib/secretsmanager-secret-rotation/index.js';
import { SecretsmanagerSecretVersion } from '@cdktn/provider-aws/lib/secretsmanager-secret-version/index.js';
import { SecretsmanagerSecret } from '@cdktn/provider-aws/lib/secretsmanager-secret/index.js';
import { Fn, type ITerraformDependable } from 'cdktn';
import { Construct } from 'constructs';

/**
 * A first value that AWS thinks up while Terraform applies. It is ephemeral, and the argument that takes it write-only,
 * so that neither a plan nor a state ever holds it (Terraform and OpenTofu 1.11). `random_password` would write it down.
 */
type FirstValue =
  | { kind: 'text'; length: number }
  /** A JSON object with `password` beside what is given. */
  | { kind: 'login'; length: number; fields: Readonly<Record<string, string>> };

export interface SecretInput {
  /** Letters, digits and `/_+=.@-`; the same in every region. */
  name: string;
  description: string;
  replicateTo: readonly string[];
  /** Without one, somebody must put a value in before a task can read it. */
  firstValue?: FirstValue;
  /** Whether it can be got back for a time after it was deleted. */
  protect: boolean;
}

export interface SecretOutput {
  arn: string;
}

const RECOVERY_DAYS = 30;
/** Signs that have a meaning in connection strings, shells and the passwords of databases. */
export const AWKWARD_CHARACTERS = '/@"\'\\`$%&?#:;{}[]()<>|*!~^=+, ';

/** A secret, encrypted, versioned, with a copy in every other region. Its value is in none of Terraform's files. */
export function secret(scope: Construct, id: string, input: SecretInput): SecretOutput {
  const here = new Construct(scope, id);
  const made = new SecretsmanagerSecret(here, 'secret', {
    name: input.name,
    description: input.description,
    recoveryWindowInDays: input.protect ? RECOVERY_DAYS : 0,
    replica: input.replicateTo.map(region => ({ region })),
    ...(input.protect && { lifecycle: { preventDestroy: true } }),
  });
  if (input.firstValue) {
    const { randomPassword } = new EphemeralAwsSecretsmanagerRandomPassword(here, 'first', {
      passwordLength: input.firstValue.length,
      excludeCharacters: AWKWARD_CHARACTERS,
      requireEachIncludedType: true,
    });
    new SecretsmanagerSecretVersion(here, 'value', {
      secretId: made.arn,
      secretStringWo:
        input.firstValue.kind === 'text'
          ? randomPassword
          : Fn.jsonencode({ ...input.firstValue.fields, password: randomPassword }),
      // The same for ever: rotation and people change the value, Terraform never again.
      secretStringWoVersion: 1,
    });
  }
  return { arn: made.arn };
}

export interface SecretRotationInput {
  secretArn: string;
  /** The function that makes, tries and puts in force a new value, as Secrets Manager asks it to. */
  functionArn: string;
  everyDays: number;
  /** What lets Secrets Manager call the function: it tries at once. */
  after?: ITerraformDependable;
}

/** Has a function renew a secret; its copies in other regions follow by themselves. */
export function secretRotation(scope: Construct, id: string, input: SecretRotationInput): void {
  new SecretsmanagerSecretRotation(scope, id, {
    secretId: input.secretArn,
    rotationLambdaArn: input.functionArn,
    rotateImmediately: false,
    rotationRules: { automaticallyAfterDays: input.everyDays },
    ...(input.after && { dependsOn: [input.after] }),
  });
}

/**
 * What names a secret in any region without asking: a full ARN ends in six characters that AWS thinks up. ECS and
 * Secrets Manager take the ARN without them; a policy takes `?` in their place.
 */
export function secretReference(place: { region: string; accountId: string; name: string }): {
  valueFrom: string;
  policyResource: string;
} {
  const arn = `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${place.name}`;
  return { valueFrom: arn, policyResource: `${arn}-??????` };
}
