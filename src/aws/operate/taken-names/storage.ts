import { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { HeadBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { using } from '../using-client.ts';
import { absent, askEach, isThere, type FindTaken, type NamedKinds } from './named-kind.ts';

/** In all of AWS, whoever has it. */
const buckets: FindTaken = (settings, names) =>
  using(new S3Client(settings), client =>
    askEach(names, name =>
      client.send(new HeadBucketCommand({ Bucket: name })).then(isThere, (error: unknown) => {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        // Moved: it is there, in another region.
        if (status === 301) return true;
        if (status === 404) return false;
        // An answer to HEAD says nothing of its reason.
        if (status === 403) return { reason: "it is somebody else's, or may not be looked at" };
        throw error;
      }),
    ),
  );

const tables: FindTaken = (settings, names) =>
  using(new DynamoDBClient(settings), client =>
    askEach(names, TableName =>
      client.send(new DescribeTableCommand({ TableName })).then(isThere, absent(ResourceNotFoundException)),
    ),
  );

export const STORAGE: NamedKinds = {
  aws_s3_bucket: { title: 'S3 bucket', name: 'bucket', findTaken: buckets, command: 's3 ls s3://$name' },
  aws_dynamodb_table: {
    title: 'DynamoDB table',
    name: 'name',
    findTaken: tables,
    command: 'dynamodb describe-table --table-name $name',
  },
};
