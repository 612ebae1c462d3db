import { z } from 'zod';
import { xmlTags } from './xml.ts';

export type CoverageFormat = 'CLOVERXML' | 'COBERTURAXML' | 'JACOCOXML' | 'SIMPLECOV';

/** Covered lines in per cent of a report file, `undefined` where it tells none. Throws where it is not of the format. */
export function lineCoveragePercent(format: CoverageFormat, source: string): number | undefined {
  if (format === 'SIMPLECOV') return simplecovPercent(source);
  const path: string[] = [];
  for (const tag of xmlTags(source)) {
    if (tag.kind === 'close') {
      path.pop();
      continue;
    }
    const percent = XML_TOTALS[format](path.at(-1), tag.name, tag.attributes);
    if (percent !== undefined) return percent;
    path.push(tag.name);
  }
  return undefined;
}

type TotalOf = (
  parent: string | undefined,
  name: string,
  attributes: Readonly<Record<string, string>>,
) => number | undefined;

/** Where each format has its total: the first such element of the whole document. */
const XML_TOTALS: Record<Exclude<CoverageFormat, 'SIMPLECOV'>, TotalOf> = {
  CLOVERXML: (parent, name, { statements, coveredstatements }) =>
    parent === 'project' && name === 'metrics'
      ? percentOf(Number(coveredstatements), Number(statements))
      : undefined,
  COBERTURAXML: (parent, name, attributes) =>
    parent === undefined && name === 'coverage' ? Number(attributes['line-rate']) * 100 : undefined,
  JACOCOXML: (parent, name, { type, missed, covered }) =>
    parent === 'report' && name === 'counter' && type === 'LINE'
      ? percentOf(Number(covered), Number(missed) + Number(covered))
      : undefined,
};

const lines = z.array(z.unknown());
const simplecovSchema = z.record(
  z.string(),
  z.object({ coverage: z.record(z.string(), z.union([lines, z.object({ lines })])) }),
);

/** Hits per line and file; `null` for lines without code. */
function simplecovPercent(source: string): number | undefined {
  let covered = 0;
  let total = 0;
  for (const { coverage } of Object.values(simplecovSchema.parse(JSON.parse(source)))) {
    for (const file of Object.values(coverage)) {
      for (const hits of Array.isArray(file) ? file : file.lines) {
        if (typeof hits !== 'number') continue;
        total += 1;
        if (hits > 0) covered += 1;
      }
    }
  }
  return percentOf(covered, total);
}

function percentOf(part: number, whole: number): number | undefined {
  return whole > 0 ? (part / whole) * 100 : undefined;
}
