import { z } from 'zod';

const amount = (value: number) => z.number().min(0).max(1e9).default(value);

export const usageSchema = z.strictObject({
  requestsMillions: amount(5).describe('Requests to production, in millions.'),
  internetGb: amount(20).describe('Answers of production to the internet, in GB.'),
  natGb: amount(20).describe('Traffic of tasks to the outside, images and AWS services included, in GB.'),
  logGb: amount(5).describe('What production’s tasks log, in GB.'),
  flowLogGb: amount(2).describe('Flow logs of the network, in GB.'),
  stagingPercent: amount(10).describe('Traffic and logs of staging, in per cent of production’s.'),
  extraTasks: amount(0).describe(
    'Tasks that autoscaling adds to production’s minimum, on average over the month.',
  ),
  builds: amount(40).describe('Executions of the pipeline.'),
  buildMinutes: amount(5).describe('What a build takes.'),
  releaseMinutes: amount(10).describe('What a deployment to one environment takes, its bake included.'),
  imageMb: amount(150).describe('Compressed size of an image.'),
  artifactMb: amount(5).describe('What an execution leaves in the artifact bucket.'),
  databaseGb: amount(20).describe('Data in a database that grows by itself (Aurora, DynamoDB).'),
  databaseReadsMillions: amount(10).describe('Reads of such a database, in millions.'),
  databaseWritesMillions: amount(2).describe('Writes to such a database, in millions.'),
});
