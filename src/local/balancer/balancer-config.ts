import { TandemError } from '../../core/error.ts';
import type { BalancerConfig, Listener, TargetGroup } from './contract.ts';

/** ALB: "up to five target groups" of a forward action, weights 0 to 999. */
const MOST_TARGET_GROUPS = 5;
const LARGEST_WEIGHT = 999;
const MATCHER = /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/;
/** What HTTP lets a request target hold. */
const PATH = /^\/[\x21-\x7e]*$/;

/** Throws BALANCER_CONFIG_INVALID, naming every fault: what passes can be put in force. */
export function checkConfig(config: BalancerConfig): void {
  const groupNames = config.targetGroups.map(({ name }) => name);
  const faults = [
    ...duplicates(groupNames).map(name => `target group ${name} is there twice`),
    ...duplicates(config.listeners.map(({ name }) => name)).map(name => `listener ${name} is there twice`),
    ...duplicates(config.listeners.map(({ address, port }) => `${address}:${port}`)).map(
      endpoint => `two listeners on ${endpoint}`,
    ),
    ...config.listeners.flatMap(listener => listenerFaults(listener, new Set(groupNames))),
    ...config.targetGroups.flatMap(targetGroupFaults),
  ];
  if (faults.length === 0) return;
  throw new TandemError(
    'BALANCER_CONFIG_INVALID',
    `The load balancer was given a configuration that cannot be: ${faults.join('; ')}. Nothing was changed.`,
    { kind: 'system', data: { faults } },
  );
}

function listenerFaults({ name, forward }: Listener, groupNames: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  if (forward.length > MOST_TARGET_GROUPS)
    faults.push(`listener ${name} forwards to more than ${MOST_TARGET_GROUPS}`);
  for (const { targetGroup, weight } of forward) {
    if (!groupNames.has(targetGroup)) faults.push(`listener ${name} forwards to the unknown ${targetGroup}`);
    if (!Number.isInteger(weight) || weight < 0 || weight > LARGEST_WEIGHT) {
      faults.push(`listener ${name} gives ${targetGroup} the weight ${weight}, not 0 to ${LARGEST_WEIGHT}`);
    }
  }
  return faults;
}

function targetGroupFaults({ name, healthCheck, targets }: TargetGroup): string[] {
  const faults = duplicates(targets.map(({ id }) => id)).map(id => `target ${id} is in ${name} twice`);
  if (!PATH.test(healthCheck.path)) faults.push(`target group ${name} checks the path ${healthCheck.path}`);
  if (!MATCHER.test(healthCheck.matcher))
    faults.push(`target group ${name} has the matcher ${healthCheck.matcher}`);
  return faults;
}

function duplicates(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
