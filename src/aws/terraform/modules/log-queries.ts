import { CloudwatchQueryDefinition } from '@cdktn/provider-aws/lib/cloudwatch-query-definition/index.js';
import { Construct } from 'constructs';

export interface LogQueriesInput {
  /** What they are filed under in CloudWatch. */
  name: string;
  logGroupNames: readonly string[];
}

/** What says, in any log, that something went wrong. */
const ERRORS = '/(?i)(error|exception|fatal|panic|traceback)/';

const QUERIES = {
  // Lines that differ in numbers, ids and times only are one kind.
  'errors-by-kind': [`filter @message like ${ERRORS}`, 'pattern @message'],
  'errors-over-time': [
    `filter @message like ${ERRORS}`,
    'stats count(*) as errors by bin(5m)',
    'sort @timestamp asc',
  ],
  'last-errors': [
    'fields @timestamp, @logStream, @message',
    `filter @message like ${ERRORS}`,
    'sort @timestamp desc',
    'limit 100',
  ],
};

/** Questions to logs (CloudWatch Logs Insights), ready to be asked: what goes wrong, how often, since when. */
export function logQueries(scope: Construct, id: string, input: LogQueriesInput): void {
  const here = new Construct(scope, id);
  for (const [query, lines] of Object.entries(QUERIES)) {
    new CloudwatchQueryDefinition(here, query, {
      name: `${input.name}/${query}`,
      logGroupNames: [...input.logGroupNames],
      queryString: lines.join('\n| '),
    });
  }
}
