import { CORRECTIONS } from './moto-corrections.ts';
import { REMOVALS } from './projection.ts';

/** How what was tried is not AWS. */
export function differences(corrected: ReadonlySet<string>): string {
  return [
    'Taken away for moto:',
    ...REMOVALS.filter(({ onlyForMoto }) => onlyForMoto).map(
      ({ type, what, reason }) => `  ${type}: ${what}: ${reason}`,
    ),
    'Mended in front of moto:',
    ...CORRECTIONS.map(
      ({ name, reason }) => `  ${name}: ${reason}${corrected.has(name) ? '' : ' (not needed here)'}`,
    ),
  ].join('\n');
}
