import { ENVIRONMENTS } from '../../model/names.ts';
import type { Paint } from '../context.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';
import type { CopilotAdoption } from './adopt-workspace.ts';
import type { Remark } from './remark.ts';

const HEADLINES = {
  taken: 'Taken over as it was',
  changed: 'Taken over, but not quite the same',
  left: 'Not taken over',
} as const;

/** What became of the workspace, for a person: every key once, with its line and what to do. */
export function adoptionLines(adoption: CopilotAdoption, paint: Paint): string[] {
  const { service, config, environments, remarks } = adoption;
  const mapped = ENVIRONMENTS.flatMap(name =>
    environments[name] === undefined ? [] : [`${environments[name]} becomes ${name}`],
  );
  const headline = [`${service} becomes the application ${config.application}`, ...mapped].join(', ');
  return [
    printable(headline),
    ...(['taken', 'changed', 'left'] as const).flatMap(kind => section(kind, remarks, paint)),
    '',
  ];
}

function section(kind: Remark['kind'], all: readonly Remark[], paint: Paint): string[] {
  const remarks = all.filter(remark => remark.kind === kind);
  if (remarks.length === 0) return [];
  const colour = { taken: paint.green, changed: paint.yellow, left: paint.red }[kind];
  return ['', `${colour(HEADLINES[kind])} (${remarks.length})`, ...remarkLines(remarks, paint)];
}

function remarkLines(remarks: readonly Remark[], paint: Paint): string[] {
  if (remarks.every(remark => remark.kind === 'taken')) {
    const rows = remarks.map(remark => [placeOf(remark, paint), printable(remark.key), `-> ${remark.into}`]);
    return table(rows, '  ');
  }
  // A remark can be long: it gets a line of its own, and stays whole where it is piped.
  return remarks.flatMap(remark => [
    `  ${placeOf(remark, paint)}  ${printable(remark.key)}${remark.kind === 'changed' && remark.into !== '' ? ` -> ${remark.into}` : ''}`.trimEnd(),
    ...(remark.kind === 'taken' ? [] : [`      ${printable(remark.remark)}`]),
  ]);
}

function placeOf({ file, line }: Remark, paint: Paint): string {
  return paint.dim(printable(`${file}:${line}`));
}
