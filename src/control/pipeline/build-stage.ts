import { assert, unreachable } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Build } from '../../model/build.ts';
import type { Release } from '../../model/release.ts';
import { askKey, buildKey, outcomeOf, pullKey, retryLater } from './attempts.ts';
import type { BuildProgress, ExecutionRecord, Tries, Turn } from './state.ts';
import { currentStage, endStopped, failStage, succeedStage, withStage, withWaiting } from './transitions.ts';
import { oneLine, shortCommit, shortDigest } from './words.ts';

const MOST_UNANSWERED_QUESTIONS = 5;
const MOST_FAILED_PULLS = 3;

/**
 * The Build stage fixes the release: the image that staging proves and production gets. In order of preference
 * it takes the one that this region already has, the one that the commit's region of origin has or is building,
 * and one that it builds.
 */
export function stepBuild(record: ExecutionRecord, turn: Turn): ExecutionRecord {
  const progress = record.build;
  if (!progress) return chooseWay(record, turn);
  switch (progress.step) {
    case 'ask':
      return ask(record, progress, turn);
    case 'pull':
      return pull(record, progress, turn);
    case 'build':
      return build(record, progress, turn);
    default:
      return unreachable(progress);
  }
}

function chooseWay(record: ExecutionRecord, turn: Turn): ExecutionRecord {
  const { commit, trigger } = record.execution;
  const local = turn.observed.localRelease(commit.id);
  if (local) {
    const summary = `this region has the image of ${shortCommit(commit.id)} already (${shortDigest(local.digest)})`;
    return succeedStage(record, turn, summary, { release: local });
  }
  // Whoever retries has seen what the origin said, and wants it built.
  if (trigger.kind !== 'replication' || currentStage(record).attempt > 1) return buildHere(record);
  const origin = trigger.by;
  if (!turn.settings.peers.includes(origin)) return buildHere(record, `${origin} is no region of this file`);
  return {
    ...record,
    build: {
      step: 'ask',
      origin,
      tries: { failures: 0 },
      question: 1,
      isHeld: false,
      deadline: turn.now + turn.settings.buildTimeoutMs,
    },
  };
}

function buildHere(record: ExecutionRecord, note?: string): ExecutionRecord {
  return {
    ...record,
    build: { step: 'build', run: 1, ...(note === undefined ? {} : { note: oneLine(note) }) },
  };
}

type Progress<Name extends BuildProgress['step']> = Extract<BuildProgress, { step: Name }>;

function ask(record: ExecutionRecord, progress: Progress<'ask'>, turn: Turn): ExecutionRecord {
  const { origin, deadline } = progress;
  const outcome = outcomeOf(turn, askKey(record, progress.question));
  if (outcome?.kind === 'peer') {
    switch (outcome.answer.state) {
      case 'built':
        return {
          ...record,
          build: { step: 'pull', origin, tries: { failures: 0 }, release: outcome.answer.release },
        };
      case 'failed':
        return failStage(
          record,
          turn,
          `the build of this commit failed in ${origin}: ${outcome.answer.cause}. A retry builds here`,
        );
      case 'absent':
        return askAgain(record, progress, turn, `${origin} has no build of this commit`);
      case 'building':
        if (turn.now < deadline) return keepAsking(record, progress, { failures: 0 }, true);
        break;
      default:
        return unreachable(outcome.answer);
    }
  }
  if (outcome?.kind === 'failed') {
    return askAgain(record, progress, turn, `${origin} did not answer (${outcome.failure})`);
  }
  if (turn.now >= deadline) {
    const limit = formatDuration(turn.settings.buildTimeoutMs);
    return buildHere(record, `${origin} was still building this commit after ${limit}`);
  }
  const subject = `${origin} to tell the release of ${shortCommit(record.execution.commit.id)}`;
  return withWaiting(record, {
    for: progress.isHeld ? `${subject}, which it is building` : subject,
    until: deadline,
  });
}

function askAgain(
  record: ExecutionRecord,
  progress: Progress<'ask'>,
  turn: Turn,
  why: string,
): ExecutionRecord {
  const tries = retryLater(progress.tries, turn.now);
  if (tries.failures >= MOST_UNANSWERED_QUESTIONS) return buildHere(record, why);
  return keepAsking(record, progress, tries, false);
}

function keepAsking(
  record: ExecutionRecord,
  progress: Progress<'ask'>,
  tries: Tries,
  isHeld: boolean,
): ExecutionRecord {
  return { ...record, build: { ...progress, tries, isHeld, question: progress.question + 1 } };
}

function pull(record: ExecutionRecord, progress: Progress<'pull'>, turn: Turn): ExecutionRecord {
  const { origin, release } = progress;
  const outcome = outcomeOf(turn, pullKey(record, progress.tries));
  if (outcome?.kind === 'pulled') {
    const summary = `image built in ${release.builtIn}, copied from ${origin} (${shortDigest(release.digest)})`;
    return succeedWith(record, turn, release, summary);
  }
  if (outcome?.kind === 'failed') {
    const tries = retryLater(progress.tries, turn.now);
    if (tries.failures < MOST_FAILED_PULLS) return { ...record, build: { ...progress, tries } };
    return buildHere(record, `the image could not be copied from ${origin} (${outcome.failure})`);
  }
  return withWaiting(record, { for: `the image ${shortDigest(release.digest)} to be copied from ${origin}` });
}

function build(record: ExecutionRecord, progress: Progress<'build'>, turn: Turn): ExecutionRecord {
  const stage = currentStage(record);
  if (stage.buildId === undefined) return awaitStart(record, progress, turn);
  const build = turn.observed.build(stage.buildId);
  if (!build) return failStage(record, turn, `build ${stage.buildId} is unknown to the build service`);
  switch (build.status) {
    case 'IN_PROGRESS':
      return withWaiting(record, {
        for: `build ${build.number}, in phase ${build.phases.at(-1)?.name ?? 'SUBMITTED'}`,
        until: build.startedAt + turn.settings.buildTimeoutMs,
      });
    case 'SUCCEEDED':
      return succeedFrom(record, progress, turn, build);
    case 'FAULT':
      if (progress.run === 1 && !record.stop && /interrupt/i.test(build.cause ?? '')) {
        return runAgain(record, progress);
      }
      return endUnbuilt(record, progress, turn, build);
    case 'FAILED':
    case 'TIMED_OUT':
    case 'STOPPED':
      return endUnbuilt(record, progress, turn, build);
    default:
      return unreachable(build.status);
  }
}

function awaitStart(record: ExecutionRecord, progress: Progress<'build'>, turn: Turn): ExecutionRecord {
  const outcome = outcomeOf(turn, buildKey(record, progress.run));
  if (outcome?.kind === 'build') return withStage(record, { ...currentStage(record), buildId: outcome.id });
  if (outcome?.kind === 'failed') {
    return failStage(record, turn, `the build could not be started: ${outcome.failure}`);
  }
  return withWaiting(record, { for: 'the build to start' });
}

/** Not the commit's fault: the region ended while it was building. */
function runAgain(record: ExecutionRecord, progress: Progress<'build'>): ExecutionRecord {
  const { buildId: _interrupted, ...stage } = currentStage(record);
  return withStage({ ...record, build: { ...progress, run: 2 } }, stage);
}

function endUnbuilt(
  record: ExecutionRecord,
  progress: Progress<'build'>,
  turn: Turn,
  build: Build,
): ExecutionRecord {
  if (record.stop?.abandon) return endStopped(record, turn, `in Build; build ${build.number} was ended`);
  const words = build.status.toLowerCase().replaceAll('_', ' ');
  const cause = build.cause ?? `build ${build.number} ended as ${words}`;
  return failStage(
    record,
    turn,
    progress.note === undefined ? cause : `${cause} (built here: ${progress.note})`,
  );
}

function succeedFrom(
  record: ExecutionRecord,
  progress: Progress<'build'>,
  turn: Turn,
  build: Build,
): ExecutionRecord {
  const image =
    build.images.find(candidate => candidate.name === turn.settings.application) ?? build.images[0];
  if (!image) {
    const mend = 'its artifacts must hold an imagedefinitions.json that names one';
    return failStage(record, turn, `build ${build.number} succeeded but made no image: ${mend}`);
  }
  const builtAt = build.endedAt ?? turn.now;
  const { commit, region } = record.execution;
  const release: Release = { commit: commit.id, digest: image.digest, builtIn: region, builtAt };
  const facts = [
    `build ${build.number}`,
    ...describeTests(build),
    shortDigest(image.digest),
    `in ${formatDuration(builtAt - build.startedAt)}`,
    ...(progress.run > 1 ? ['second run, the first was interrupted'] : []),
    ...(progress.note === undefined ? [] : [`built here: ${progress.note}`]),
  ];
  return succeedWith(record, turn, release, facts.join(', '));
}

function describeTests(build: Build): string[] {
  const total = build.reports.reduce((sum, report) => sum + report.total, 0);
  const passed = build.reports.reduce((sum, report) => sum + report.passed, 0);
  return total === 0 ? [] : [`${passed} of ${total} tests passed`];
}

function succeedWith(
  record: ExecutionRecord,
  turn: Turn,
  release: Release,
  summary: string,
): ExecutionRecord {
  assert(release.commit === record.execution.commit.id, 'a release is of the commit that was asked for');
  turn.enter({ kind: 'built', release, commit: record.execution.commit });
  return succeedStage(record, turn, summary, { release });
}
