import type { Finding, RegionObservation } from '../../model/diagnosis.ts';
import { imagePullFindings, memoryFindings } from './stopped-tasks.ts';
import { buildFindings, lockFindings, natFindings, replicationFindings } from './surroundings.ts';
import { unreachableFindings } from './unreachable.ts';

const SEVERITIES = ['error', 'warning', 'notice'] as const;

/** What is wrong in a region, the worst first. */
export function diagnose(observation: RegionObservation): Finding[] {
  const { region, at, services, build, replication, locks, nat } = observation;
  const findings = [
    ...services.flatMap(service => [
      ...unreachableFindings(service, region, at),
      ...imagePullFindings(service, region, at),
      ...memoryFindings(service, region, at),
    ]),
    ...buildFindings(build, region, at),
    ...replicationFindings(replication, region),
    ...lockFindings(locks, region, at),
    ...natFindings(nat, region),
  ];
  return findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
