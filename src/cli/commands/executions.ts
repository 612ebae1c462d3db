import { formatDuration } from '../../core/duration.ts';
import type { Execution } from '../../model/execution.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { byId, followExecutions, isSettled, reportOutcomes } from '../follow-executions.ts';
import { wholeNumber } from '../option-values.ts';
import {
  answered,
  answersAsJson,
  askRegions,
  chosenRegions,
  findExecution,
  reportFailures,
} from '../regions.ts';
import { reaching } from '../reach.ts';
import { executionName } from '../text/execution-text.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import { ago, timeOfDay, waitingText } from '../text/time.ts';
import { builtIn, shortId, stageDots, standingWord } from '../text/words.ts';

interface Options {
  follow: boolean;
  limit: number;
}

export const executions = defineCommand<Options>({
  name: 'executions',
  summary: 'List the runs of the pipeline, or show one',
  details:
    'With an id (or its first 4 characters or more), shows that execution in whichever region it runs.',
  examples: [
    'tandem executions',
    'tandem executions --target aws',
    'tandem executions 1a2b3c4d',
    'tandem executions 1a2b3c4d --follow',
  ],
  arguments: [{ syntax: '[execution]', description: 'id of an execution, or the beginning of one' }],
  options: [
    { flags: '-f, --follow', description: 'stay until it ends or waits for a person', default: false },
    {
      flags: '--limit <number>',
      description: 'newest executions of each region',
      default: 10,
      parse: wholeNumber(1),
    },
  ],
  takesRegion: true,
  isForAws: true,
  run: (context, options, id) => (id === undefined ? list(context, options) : show(context, options, id)),
});

async function list(context: CommandContext, { limit, follow }: Options) {
  const cloud = await context.cloud();
  const answers = await askRegions(cloud, chosenRegions(context, cloud), operations =>
    operations.executions({ limit }),
  );
  if (follow) {
    const newest = answered(answers).flatMap(({ value }) => value.filter(one => !isSettled(one)).slice(0, 1));
    const followed = newest.map(execution => byId(cloud, execution));
    if (followed.length > 0) {
      return reportOutcomes(context, followed, await followExecutions(context, cloud, followed));
    }
    context.note('no execution is under way');
  }
  if (context.json) context.printJson(answersAsJson(answers, 'executions'));
  else
    listAsTable(
      context,
      answered(answers).flatMap(({ value }) => value),
    );
  return reportFailures(context, answers);
}

function listAsTable(context: CommandContext, found: readonly Execution[]): void {
  if (found.length === 0) {
    context.print(reaching(context, 'no executions yet: `tandem push` starts one'));
    return;
  }
  const rows = found.map(execution => [
    execution.region,
    shortId(execution),
    standingWord(execution.status, context.paint),
    stageDots(execution.stages, context.paint),
    executionName(execution, context.paint),
    context.paint.dim(ago(execution.startedAt, context.clock.now())),
  ]);
  for (const line of table(rows)) context.print(reaching(context, line));
}

async function show(context: CommandContext, { follow }: Options, id: string) {
  const cloud = await context.cloud();
  const execution = await findExecution(context, cloud, id);
  if (follow) {
    const followed = [byId(cloud, execution)];
    return reportOutcomes(context, followed, await followExecutions(context, cloud, followed));
  }
  if (context.json) context.printJson({ execution });
  else for (const line of detailLines(execution, context)) context.print(reaching(context, line));
  return EXIT.done;
}

function detailLines(execution: Execution, { paint }: CommandContext): string[] {
  const { commit, trigger, approval, release } = execution;
  const facts = [
    [
      'status',
      `${standingWord(execution.status, paint)}${execution.cause ? `: ${printable(execution.cause)}` : ''}`,
    ],
    ['commit', `${commit.id} ${printable(commit.subject)}`],
    ...(commit.author.name !== ''
      ? [['author', printable(`${commit.author.name} <${commit.author.email}>`)]]
      : []),
    [
      'started',
      `${timeOfDay(execution.startedAt)} by ${trigger.kind} of ${printable(trigger.by)} (${trigger.ref})`,
    ],
    ...(execution.endedAt === undefined
      ? []
      : [
          [
            'ended',
            `${timeOfDay(execution.endedAt)}, after ${formatDuration(execution.endedAt - execution.startedAt)}`,
          ],
        ]),
    ...(release ? [['image', `${release.digest} built${builtIn(release)}`]] : []),
    ...(approval
      ? [
          [
            'approval',
            printable(
              `${approval.decision.toLowerCase()} by ${approval.by}${approval.comment && `: ${approval.comment}`}`,
            ),
          ],
        ]
      : []),
  ];
  const stages = execution.stages.map(stage => [
    stageDots([stage], paint),
    stage.startedAt === undefined || stage.endedAt === undefined
      ? ''
      : formatDuration(stage.endedAt - stage.startedAt),
    stage.attempt > 1 ? `attempt ${stage.attempt}` : '',
    stage.waiting ? waitingText(stage.waiting) : printable(stage.summary ?? ''),
  ]);
  return [
    `${paint.bold(execution.id)}  ${execution.number === 0 ? '' : `#${execution.number} `}in ${execution.region}`,
    ...table(facts, '  '),
    '',
    ...table(stages, '  '),
  ];
}
