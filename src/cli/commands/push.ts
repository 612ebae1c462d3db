import { dirname } from 'node:path';
import { MINUTE_MS } from '../../core/duration.ts';
import { TandemError } from '../../core/error.ts';
import type { Cloud } from '../../model/cloud.ts';
import { repositoryPage } from '../../model/config/repository-page.ts';
import type { Config } from '../../model/config/schema.ts';
import type { RegionName } from '../../model/names.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { followExecutions, reportOutcomes } from '../follow-executions.ts';
import {
  AWS_REMOTE_NAME,
  CODECOMMIT_SIGN_IN,
  REMOTE_NAME,
  remoteUrl,
  setUpAwsRemote,
} from '../git-remote.ts';
import { waitOption } from '../option-values.ts';
import { awaitExecutionsOf, executionsBefore } from '../pushed-executions.ts';
import { reaching } from '../reach.ts';
import { askRegionsPatiently, chosenRegions } from '../regions.ts';
import { shortCommit } from '../text/words.ts';

export const push = defineCommand<{ wait: boolean }>({
  name: 'push',
  summary: 'Push the current commit, and follow it through the pipeline of every region',
  details:
    'Runs `git push tandem HEAD:<branch>`, the branch being the pipeline’s, to the primary region (or --region), which ' +
    'replicates it to the others. Ends when every region has ended, or waits for a person (exit code 4). ' +
    'With --target aws to CodeCommit, by the remote `tandem-aws`, which it sets up; git signs in through the AWS CLI.',
  examples: [
    'tandem push',
    'tandem push --no-wait',
    'tandem push --region us-west-2',
    'tandem push --target aws',
  ],
  options: [waitOption],
  takesRegion: true,
  isForAws: true,
  async run(context, { wait }) {
    if (context.target === 'aws') requireOwnRepository((await context.config()).pipeline);
    const cloud = await context.cloud();
    const folder = dirname(context.configPath);
    const target = targetRegion(context, cloud);
    return pushAndFollow(context, { cloud, folder, target, wait });
  },
});

export interface PushRequest {
  cloud: Cloud;
  /** The application's repository, or a folder in it. */
  folder: string;
  target: RegionName;
  wait: boolean;
}

/** Pushes HEAD of a repository to one region, then follows its executions everywhere. */
export async function pushAndFollow(context: CommandContext, request: PushRequest): Promise<ExitCode> {
  const { cloud, folder, target, wait } = request;
  const reached = reachableRegion(context, cloud, target);
  // That there is nothing to push is told first.
  reached.catch(() => undefined);
  const commit = await headCommit(context, folder);
  const { gitUrl, branch } = await reached;
  const remote = { folder, url: gitUrl, ref: `refs/heads/${branch}`, ...REMOTES[cloud.target] };
  if (cloud.target === 'aws') await setUpAwsRemote(context.git, folder, gitUrl);
  const [before, known] = await Promise.all([
    executionsBefore(cloud, commit),
    remoteUrl(context.git, folder, remote.name),
    warnOfUncommitted(context, folder),
  ]);
  const isThere = await gitPush(context, remote, known === gitUrl ? remote.name : gitUrl);
  if (isThere) context.note(`${target} has ${shortCommit(commit)} already; this is how it went there`);
  if (!wait) {
    if (context.json) context.printJson({ commit, region: target, executions: [] });
    return EXIT.done;
  }
  const followed = awaitExecutionsOf(commit, {
    cloud,
    from: target,
    before: isThere ? undefined : before,
    clock: context.clock,
    limitMs: START_LIMIT_MS[cloud.target],
  });
  const outcomes = await followExecutions(context, cloud, followed);
  const exitCode = reportOutcomes(context, followed, outcomes, { commit });
  if (exitCode === EXIT.waiting) context.note(reaching(context, 'to let it into production: tandem approve'));
  return exitCode;
}

/** What is pushed to where, and how git reaches it. */
interface Remote {
  folder: string;
  url: string;
  ref: string;
  name: string;
  gitOptions: readonly string[];
}

const REMOTES: Record<Cloud['target'], Pick<Remote, 'name' | 'gitOptions'>> = {
  // A proxy for the outer world must not come between git and this machine's own addresses.
  local: { name: REMOTE_NAME, gitOptions: ['-c', 'http.proxy='] },
  aws: {
    name: AWS_REMOTE_NAME,
    gitOptions: CODECOMMIT_SIGN_IN.flatMap(([key, value]) => ['-c', `credential.${key}=${value}`]),
  },
};

/** How long a region may take to start an execution; on AWS an event has to come, and replication has to run. */
const START_LIMIT_MS: Record<Cloud['target'], number> = { local: MINUTE_MS, aws: 10 * MINUTE_MS };

/** With a connection, AWS takes commits from a repository elsewhere, that people push to as ever. */
function requireOwnRepository({ source, branch }: Config['pipeline']): void {
  if (source.provider === 'codecommit') return;
  const url = `${repositoryPage(source.provider, source.repository)}.git`;
  throw new TandemError(
    'SOURCE_ELSEWHERE',
    `on AWS the pipelines take their commits from ${url}: push there (git push ${url} HEAD:${branch}), and every ` +
      'region starts; `tandem executions --follow` shows it',
    { data: { url, branch } },
  );
}

function targetRegion(context: CommandContext, cloud: Cloud): RegionName {
  const [target, ...others] = chosenRegions(context, cloud);
  if (context.chosenRegions.length > 0 && others.length > 0) {
    throw new TandemError('USAGE', 'a push goes to one region, which replicates it: name one --region');
  }
  return target!;
}

async function reachableRegion(context: CommandContext, cloud: Cloud, region: RegionName) {
  const [answer] = await askRegionsPatiently(context, cloud, [region], operations => operations.status());
  if (answer && 'value' in answer && answer.value.gitUrl !== '') return answer.value;
  if (answer && 'value' in answer) {
    throw new TandemError(
      'PUSH_TARGET_UNREACHABLE',
      `where ${region} takes a push can not be told, so nothing was pushed: ${answer.value.problems.join('; ')}`,
      { kind: 'system', data: { region } },
    );
  }
  const others = cloud.regions().filter(other => other !== region);
  const advice =
    others.length === 0 ? '' : `; any region takes a push: tandem push --region ${others.join(' or ')}`;
  throw new TandemError(
    'PUSH_TARGET_UNREACHABLE',
    `${region} does not answer, so nothing was pushed${advice}`,
    { kind: 'system', data: { region, others }, cause: answer?.error },
  );
}

async function headCommit({ git }: CommandContext, folder: string): Promise<string> {
  const inside = await git(['rev-parse', '--git-dir'], { folder });
  if (inside.exitCode !== 0) {
    throw new TandemError(
      'GIT_REPOSITORY_MISSING',
      `${folder} is in no Git repository: git init && git add -A && git commit -m "First version"`,
      { data: { folder } },
    );
  }
  const { exitCode, stdout } = await git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { folder });
  if (exitCode === 0) return stdout.trim();
  throw new TandemError(
    'NOTHING_TO_PUSH',
    `the repository in ${folder} has no commit yet: git add -A && git commit -m "First version"`,
    { data: { folder } },
  );
}

async function warnOfUncommitted(context: CommandContext, folder: string): Promise<void> {
  const { stdout } = await context.git(['status', '--porcelain', '--untracked-files=no'], { folder });
  const count = stdout.split('\n').filter(Boolean).length;
  if (count > 0) {
    const files = count === 1 ? '1 file has' : `${count} files have`;
    context.note(`${files} changes that are not committed; they are not pushed`);
  }
}

/** Whether the commit was there already: git's own words for it, which no language changes. */
async function gitPush(
  context: CommandContext,
  { folder, ref, gitOptions }: Remote,
  to: string,
): Promise<boolean> {
  const { exitCode, stderr } = await context.git([...gitOptions, 'push', to, `HEAD:${ref}`], {
    folder,
    onOutput: text => context.stderr.write(text),
  });
  if (exitCode === 0) return /^Everything up-to-date$/m.test(stderr);
  throw new TandemError(
    'PUSH_REFUSED',
    `git push ended with exit code ${exitCode}; git says why above, and nothing was started`,
    { data: { exitCode } },
  );
}
