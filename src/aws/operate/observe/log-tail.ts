import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Looking } from './looking.ts';

const LINES_READ = 100;
/** Streams of something else, such as a collector's, may be newer. */
const STREAMS_READ = 20;

export interface LogPlace {
  what: string;
  logGroupName: string;
  /** Of the stream's name, or all of it. */
  streamPrefix: string;
}

/** The newest lines of the newest such stream, oldest first; none where nobody wrote yet. */
export async function newestLines(
  looking: Looking,
  { what, logGroupName, streamPrefix }: LogPlace,
): Promise<string[]> {
  const lines = await looking.ask(
    {
      what,
      permission: 'logs:DescribeLogStreams, logs:GetLogEvents',
      client: new CloudWatchLogsClient(looking.settings),
    },
    async client => {
      const { logStreams = [] } = await client.send(
        new DescribeLogStreamsCommand({
          logGroupName,
          orderBy: 'LastEventTime',
          descending: true,
          limit: STREAMS_READ,
        }),
      );
      const stream = logStreams.find(({ logStreamName = '' }) => logStreamName.startsWith(streamPrefix));
      if (stream?.logStreamName === undefined) return [];
      const { events = [] } = await client.send(
        new GetLogEventsCommand({
          logGroupName,
          logStreamName: stream.logStreamName,
          limit: LINES_READ,
          startFromHead: false,
        }),
      );
      return events.map(({ message = '' }) => message.trimEnd());
    },
  );
  return lines ?? [];
}

/** What a person types to read on. */
export function tailCommand(region: string, logGroupName: string): string {
  return `aws logs tail ${logGroupName} --region ${region} --since 1h`;
}
