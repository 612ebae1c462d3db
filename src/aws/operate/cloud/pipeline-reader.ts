import {
  CodePipelineClient,
  GetPipelineCommand,
  GetPipelineStateCommand,
  paginateListActionExecutions,
  paginateListPipelineExecutions,
  type ActionExecutionDetail,
  type GetPipelineStateOutput,
  type PipelineExecutionSummary,
} from '@aws-sdk/client-codepipeline';
import { MINUTE_MS, DAY_MS } from '../../../core/duration.ts';
import { TandemError } from '../../../core/error.ts';
import { STAGE_NAMES, type StageName } from '../../../model/names.ts';
import type { RegionCalls } from './region-calls.ts';

export interface PipelineAction {
  name: string;
  isApproval: boolean;
  /** How long a person has for an answer. */
  timeoutMs: number;
}

/** The pipeline as it is defined in AWS now. */
export interface PipelineDefinition {
  version: number;
  stages: { name: StageName; actions: PipelineAction[] }[];
}

/** An execution as CodePipeline keeps it. */
export interface PipelineRun {
  summary: PipelineExecutionSummary;
  actions: ActionExecutionDetail[];
}

/** CodePipeline's own, where an action names none. */
const APPROVAL_TIMEOUT_MS = 7 * DAY_MS;
const PAGE = 100;
/** How many executions are looked through for one that an id begins. */
const MOST_EXECUTIONS = 500;
const SHORTEST_ID = 4;

/** Reads one region's pipeline. */
export class PipelineReader {
  readonly #calls: RegionCalls;
  readonly name: string;
  #definition: Promise<PipelineDefinition> | undefined;

  constructor(calls: RegionCalls, name: string) {
    this.#calls = calls;
    this.name = name;
  }

  /** Where things stand now: what each stage holds, what comes next into it, and who is asked. */
  state(): Promise<GetPipelineStateOutput> {
    return this.#calls.ask(CodePipelineClient, 'codepipeline:GetPipelineState', client =>
      client.send(new GetPipelineStateCommand({ name: this.name })),
    );
  }

  /** Read again once a state is of another version. */
  async definition(version: number | undefined): Promise<PipelineDefinition> {
    const known = await this.#definition;
    if (known !== undefined && (version === undefined || known.version === version)) return known;
    const read = this.#calls.ask(CodePipelineClient, 'codepipeline:GetPipeline', async client => {
      const { pipeline } = await client.send(new GetPipelineCommand({ name: this.name }));
      return {
        version: pipeline?.version ?? 0,
        stages: (pipeline?.stages ?? []).flatMap(({ name, actions = [] }) =>
          isStageName(name)
            ? [
                {
                  name,
                  actions: actions.map(action => ({
                    name: action.name ?? '',
                    isApproval: action.actionTypeId?.category === 'Approval',
                    timeoutMs:
                      action.timeoutInMinutes === undefined
                        ? APPROVAL_TIMEOUT_MS
                        : action.timeoutInMinutes * MINUTE_MS,
                  })),
                },
              ]
            : [],
        ),
      };
    });
    const definition = await read;
    this.#definition = read;
    return definition;
  }

  /** Newest first. */
  async runs(limit: number): Promise<PipelineRun[]> {
    const summaries = await this.#summaries(limit);
    const oldest = summaries.at(-1)?.startTime?.getTime();
    if (oldest === undefined) return [];
    const actions = await this.#newestActions(last => last < oldest);
    return summaries.map(summary => ({
      summary,
      actions: actions.filter(action => action.pipelineExecutionId === summary.pipelineExecutionId),
    }));
  }

  /** By id, or the beginning of one. Throws EXECUTION_UNKNOWN, EXECUTION_AMBIGUOUS. */
  async run(id: string): Promise<PipelineRun> {
    const matches = (await this.#summaries(MOST_EXECUTIONS, id)).filter(
      ({ pipelineExecutionId = '' }) => id.length >= SHORTEST_ID && pipelineExecutionId.startsWith(id),
    );
    const [summary, another] = matches;
    if (summary?.pipelineExecutionId === undefined) {
      const advice =
        id.length < SHORTEST_ID ? `give ${SHORTEST_ID} characters or more` : '`tandem executions` lists them';
      throw new TandemError(
        'EXECUTION_UNKNOWN',
        `no execution in ${this.#calls.region} has an id that begins with '${id}': ${advice}`,
        { data: { id } },
      );
    }
    if (another !== undefined) {
      const both = matches.slice(0, 2).map(({ pipelineExecutionId }) => pipelineExecutionId);
      throw new TandemError('EXECUTION_AMBIGUOUS', `'${id}' may mean ${both.join(' or ')}: give more of it`, {
        data: { id },
      });
    }
    return { summary, actions: await this.#actions(summary.pipelineExecutionId) };
  }

  /** The newest of all executions, at least so many where there are. */
  newestActions(atLeast: number): Promise<ActionExecutionDetail[]> {
    return this.#newestActions((_last, count) => count >= atLeast);
  }

  /** CodePipeline lists the newest first, as its history does. */
  #newestActions(isEnough: (last: number, count: number) => boolean): Promise<ActionExecutionDetail[]> {
    return this.#calls.ask(CodePipelineClient, 'codepipeline:ListActionExecutions', async client => {
      const found: ActionExecutionDetail[] = [];
      const pages = paginateListActionExecutions({ client, pageSize: PAGE }, { pipelineName: this.name });
      for await (const { actionExecutionDetails = [] } of pages) {
        found.push(...actionExecutionDetails);
        const last = actionExecutionDetails.at(-1)?.startTime;
        if (last === undefined || isEnough(last.getTime(), found.length)) break;
      }
      return found;
    });
  }

  #actions(pipelineExecutionId: string): Promise<ActionExecutionDetail[]> {
    return this.#calls.ask(CodePipelineClient, 'codepipeline:ListActionExecutions', async client => {
      const found: ActionExecutionDetail[] = [];
      const query = { pipelineName: this.name, filter: { pipelineExecutionId } };
      for await (const page of paginateListActionExecutions({ client, pageSize: PAGE }, query)) {
        found.push(...(page.actionExecutionDetails ?? []));
      }
      return found;
    });
  }

  /** `whole`: may end at the execution that has exactly this id. */
  #summaries(limit: number, whole?: string): Promise<PipelineExecutionSummary[]> {
    return this.#calls.ask(CodePipelineClient, 'codepipeline:ListPipelineExecutions', async client => {
      const found: PipelineExecutionSummary[] = [];
      const pages = paginateListPipelineExecutions(
        { client, pageSize: Math.min(limit, PAGE) },
        { pipelineName: this.name },
      );
      for await (const { pipelineExecutionSummaries = [] } of pages) {
        found.push(...pipelineExecutionSummaries);
        if (
          found.length >= limit ||
          pipelineExecutionSummaries.some(one => one.pipelineExecutionId === whole)
        )
          break;
      }
      return found.slice(0, limit);
    });
  }
}

function isStageName(name: string | undefined): name is StageName {
  return STAGE_NAMES.some(known => known === name);
}
