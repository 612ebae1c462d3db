import type { Command } from '../command.ts';
import { approve } from './approve.ts';
import { destroy } from './destroy.ts';
import { down } from './down.ts';
import { events } from './events.ts';
import { executions } from './executions.ts';
import { init } from './init.ts';
import { logs } from './logs.ts';
import { push } from './push.ts';
import { reject } from './reject.ts';
import { releases } from './releases.ts';
import { restart } from './restart.ts';
import { retry } from './retry.ts';
import { rollback } from './rollback.ts';
import { scale } from './scale.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { up } from './up.ts';

/** Every command, in the order of the journey: that is how help lists them. */
export const commands: readonly Command<never>[] = [
  init,
  up,
  push,
  status,
  executions,
  approve,
  reject,
  retry,
  stop,
  rollback,
  releases,
  logs,
  events,
  restart,
  scale,
  down,
  destroy,
];
