/*
 * The remediation function of one environment in one region: EventBridge calls it when one of the service's alarms goes
 * off. What it does it writes down first, so that an event that comes twice, or a run that dies, never does more than it may.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { decideRemediation, type RemediationLimit } from '../../../control/remediation/decide.ts';
import { SECOND_MS } from '../../../core/duration.ts';
import { errorMessage } from '../../../core/error.ts';
import { formatInstant } from '../../../core/instant.ts';
import type { Remedy } from '../../../model/remediation.ts';
import { systemClock, type Clock } from '../../../platform/clock.ts';
import { writeOutput } from '../../../platform/process.ts';
import { setting } from '../settings.ts';
import { applyRemedy, type AlarmFacts } from './actions.ts';
import { createMemory } from './memory.ts';

export interface RemediationSettings {
  region: string;
  cluster: string;
  service: string;
  maximumCount: number;
  hookUrl: string;
  tableName: string;
  topicArn: string;
  /** By the full name of the alarm. */
  remedies: Readonly<Record<string, Remedy>>;
  limit: RemediationLimit;
  clock: Clock;
  log(line: string): void;
}

/** EventBridge, "CloudWatch Alarm State Change"; the part that is used. */
export interface AlarmEvent {
  id: string;
  time: string;
  region: string;
  detail: { alarmName: string; state: { value: string; reason?: string } };
}

export function createRemediation(settings: RemediationSettings) {
  const { region, service, limit, clock } = settings;
  const sns = new SNSClient({ region });
  const ecs = new ECSClient({ region });
  const memory = createMemory(new DynamoDBClient({ region }), settings.tableName, service);

  async function tell(facts: AlarmFacts, outcome: string): Promise<void> {
    settings.log(JSON.stringify({ ...facts, outcome }));
    await sns.send(
      new PublishCommand({
        TopicArn: settings.topicArn,
        Subject: `${facts.alarm} in ${region}`.slice(0, 100),
        Message: `The alarm ${facts.alarm} went off in ${region} at ${facts.time}: ${facts.reason}\n\nDone by itself: ${outcome}.\n`,
      }),
    );
  }

  /** What is to be told where nothing may be done; `undefined`: act. */
  async function admit(eventId: string): Promise<'act' | 'repeated' | { limited: string }> {
    for (;;) {
      const { state, revision } = await memory.read();
      const decision = decideRemediation(state, eventId, { limit, now: clock.now() });
      if (decision.kind === 'repeated') return 'repeated';
      if (decision.kind === 'limited') {
        const minutes = limit.withinMs / SECOND_MS / 60;
        return {
          limited:
            `nothing: ${limit.maximumActions} actions in ${minutes} minutes are the limit; ` +
            `the next is possible from ${formatInstant(decision.until)} on`,
        };
      }
      if (await memory.write(decision.state, revision)) return 'act';
    }
  }

  return async (event: AlarmEvent): Promise<void> => {
    const { alarmName, state } = event.detail;
    const remedy = settings.remedies[alarmName];
    if (remedy === undefined || state.value !== 'ALARM') return;
    const facts: AlarmFacts = { alarm: alarmName, region, reason: state.reason ?? '', time: event.time };
    const admission = await admit(event.id);
    if (admission === 'repeated') return;
    if (admission !== 'act') {
      await tell(facts, admission.limited);
      return;
    }
    let outcome: string;
    try {
      outcome = await applyRemedy(remedy, { ...settings, ecs }, facts);
    } catch (error) {
      outcome = `nothing, for "${remedy}" failed: ${errorMessage(error)}`;
    }
    await tell(facts, outcome);
  };
}

let remediation: ReturnType<typeof createRemediation> | undefined;

/** What Lambda calls. */
export function handler(event: AlarmEvent): Promise<void> {
  remediation ??= createRemediation({
    region: setting('AWS_REGION'),
    cluster: setting('CLUSTER'),
    service: setting('SERVICE'),
    maximumCount: Number(setting('MAXIMUM_COUNT')),
    hookUrl: setting('HOOK_URL', ''),
    tableName: setting('TABLE'),
    topicArn: setting('TOPIC_ARN'),
    remedies: JSON.parse(setting('REMEDIES')) as Record<string, Remedy>,
    limit: {
      maximumActions: Number(setting('MAXIMUM_ACTIONS')),
      withinMs: Number(setting('WITHIN_SECONDS')) * SECOND_MS,
    },
    clock: systemClock,
    log: line => writeOutput(`${line}\n`),
  });
  return remediation(event);
}
