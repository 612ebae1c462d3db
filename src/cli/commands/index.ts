import type { Command } from '../command.ts';

/** Every command, in the order of the journey: that is how help lists them. Each is loaded only when it is wanted. */
const LOAD: Readonly<Record<string, () => Promise<Command<never>>>> = {
  init: async () => (await import('./init.ts')).init,
  up: async () => (await import('./up.ts')).up,
  push: async () => (await import('./push.ts')).push,
  status: async () => (await import('./status.ts')).status,
  executions: async () => (await import('./executions.ts')).executions,
  approve: async () => (await import('./approve.ts')).approve,
  reject: async () => (await import('./reject.ts')).reject,
  retry: async () => (await import('./retry.ts')).retry,
  stop: async () => (await import('./stop.ts')).stop,
  rollback: async () => (await import('./rollback.ts')).rollback,
  releases: async () => (await import('./releases.ts')).releases,
  logs: async () => (await import('./logs.ts')).logs,
  events: async () => (await import('./events.ts')).events,
  restart: async () => (await import('./restart.ts')).restart,
  scale: async () => (await import('./scale.ts')).scale,
  bootstrap: async () => (await import('./bootstrap.ts')).bootstrap,
  plan: async () => (await import('./plan.ts')).plan,
  deploy: async () => (await import('./deploy.ts')).deploy,
  unlock: async () => (await import('./unlock.ts')).unlock,
  synth: async () => (await import('./synth.ts')).synth,
  drift: async () => (await import('./drift.ts')).drift,
  doctor: async () => (await import('./doctor.ts')).doctor,
  cost: async () => (await import('./cost.ts')).cost,
  diagram: async () => (await import('./diagram.ts')).diagram,
  fleet: async () => (await import('./fleet.ts')).fleet,
  down: async () => (await import('./down.ts')).down,
  destroy: async () => (await import('./destroy.ts')).destroy,
};

export const COMMAND_NAMES: readonly string[] = Object.keys(LOAD);

/** The command of that name alone; all of them for anything else, such as help or a slip of the pen. */
export function loadCommands(name?: string): Promise<Command<never>[]> {
  const one = name !== undefined && Object.hasOwn(LOAD, name) ? LOAD[name] : undefined;
  return Promise.all((one ? [one] : Object.values(LOAD)).map(load => load()));
}
