import type { Instant } from '../../core/instant.ts';
import { formatInstant } from '../../core/instant.ts';
import type { LogQuery } from '../../model/cloud.ts';
import type { LogEvent } from '../../model/event.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { wholeNumber } from '../option-values.ts';
import { chosenRegions } from '../regions.ts';
import { followRegions, readRegions, untilInterrupted, type StreamRequest } from '../stream-regions.ts';
import { printable } from '../text/printable.ts';
import { parseSince } from '../text/time.ts';

interface Options {
  follow: boolean;
  since?: (now: Instant) => Instant;
  grep?: string;
  limit: number;
  stream?: string;
}

export const logs = defineCommand<Options>({
  name: 'logs',
  summary: 'Show what tasks, builds and load balancers have written',
  details:
    'All regions, and all groups but balancer, oldest first; with --json each line is one JSON object. ' +
    'balancer has the requests at the load balancers, as long as logs.accessLogs is true. On this machine a region keeps ' +
    'the newest million, and counts those that came faster than they could be stored. On AWS they are of the last day or ' +
    '--since. It stores them every five minutes, so a line comes five minutes late or a little more, also with -f; and it ' +
    'does not promise that it stores every one.',
  examples: [
    'tandem logs production -f',
    'tandem logs build',
    'tandem logs production -f --target aws',
    'tandem logs balancer -f',
    'tandem logs balancer --stream production --since 1h --grep /orders --target aws',
    'tandem logs staging --since 10m --grep error',
  ],
  arguments: [
    {
      syntax: '[group]',
      description: 'which logs (default: all but balancer)',
      choices: ['staging', 'production', 'build', 'balancer'],
    },
  ],
  options: [
    {
      flags: '-f, --follow',
      description: 'go on with what is written from now on, until Ctrl-C',
      default: false,
    },
    { flags: '--since <when>', description: '90s, 10m, 2h, 1d ago, or a time', parse: parseSince },
    { flags: '--grep <text>', description: 'only lines that contain the text, ignoring case' },
    {
      flags: '--limit <number>',
      description: 'newest lines of each region',
      default: 100,
      parse: wholeNumber(1),
    },
    {
      flags: '--stream <id>',
      description: 'only this task or build: its id, or the beginning of it; of balancer: an environment',
    },
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, options, group) {
    const isBalancer = group === 'balancer';
    const cloud = await context.cloud();
    const query: LogQuery = {
      ...(group !== undefined && { group }),
      ...(options.stream !== undefined && { stream: options.stream }),
      ...(options.grep !== undefined && { contains: options.grep }),
      ...(options.since && { since: options.since(context.clock.now()) }),
    };
    const { paint } = context;
    const request: StreamRequest<LogEvent> = {
      cloud,
      regions: chosenRegions(context, cloud),
      open: (operations, after, signal) =>
        operations.logs(
          {
            ...query,
            follow: options.follow,
            ...(after === undefined ? { limit: options.limit } : { after }),
          },
          signal,
        ),
      onItem(region, event) {
        if (context.json) {
          context.stdout.write(`${JSON.stringify({ region, ...event })}\n`);
          return;
        }
        const stream = isBalancer ? event.stream : event.stream.slice(0, 8);
        const origin = `${region} ${event.group}/${stream}`;
        context.print(
          `${paint.dim(formatInstant(event.at))} ${paint.cyan(origin)} ${printable(event.message)}`,
        );
      },
    };
    if (!options.follow) return readRegions(context, request);
    if (isBalancer && cloud.target === 'aws')
      context.note('load balancers write every five minutes: lines come so late, or a little more');
    await untilInterrupted(context, signal => followRegions(context, request, signal));
    return EXIT.done;
  },
});
