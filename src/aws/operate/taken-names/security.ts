import { IAMClient, paginateListRoles } from '@aws-sdk/client-iam';
import { KMSClient, paginateListAliases } from '@aws-sdk/client-kms';
import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { using } from '../using-client.ts';
import { absent, amongListed, askEach, type FindTaken, type NamedKinds } from './named-kind.ts';

/** In the whole account. */
const roles: FindTaken = (settings, names) =>
  using(new IAMClient(settings), client =>
    amongListed(names, paginateListRoles({ client, pageSize: 1000 }, {}), ({ Roles }) =>
      Roles?.map(({ RoleName: name }) => ({ name })),
    ),
  );

const keyAliases: FindTaken = (settings, names) =>
  using(new KMSClient(settings), client =>
    amongListed(names, paginateListAliases({ client }, {}), ({ Aliases }) =>
      Aliases?.map(({ AliasName: name }) => ({ name })),
    ),
  );

/** One that waits for its deletion has its name until then (Secrets Manager user guide, "Delete a secret"). */
const secrets: FindTaken = (settings, names) =>
  using(new SecretsManagerClient(settings), client =>
    askEach(names, name =>
      client
        .send(new DescribeSecretCommand({ SecretId: name }))
        .then(({ ARN: importId = name, DeletedDate }) =>
          DeletedDate === undefined
            ? { importId }
            : {
                importId,
                state: 'waits for its deletion, and has the name until then: restore it, or wait',
                command: 'secretsmanager restore-secret --secret-id $name',
              },
        )
        .catch(absent(ResourceNotFoundException)),
    ),
  );

export const SECURITY: NamedKinds = {
  // A role that has policies is not deleted by one command.
  aws_iam_role: {
    title: 'IAM role',
    name: 'name',
    findTaken: roles,
    command: 'iam get-role --role-name $name',
  },
  aws_kms_alias: {
    title: 'KMS alias',
    name: 'name',
    findTaken: keyAliases,
    command: 'kms describe-key --key-id $name',
  },
  aws_secretsmanager_secret: {
    title: 'secret',
    name: 'name',
    findTaken: secrets,
    command: 'secretsmanager describe-secret --secret-id $name',
  },
};
