import { stripVTControlCharacters } from 'node:util';

/** Columns as wide as their widest cell, two blanks between; colours do not count, trailing blanks are cut. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell));
    });
  }
  return rows.map(row => {
    const cells = row.map((cell, column) => cell + ' '.repeat(widths[column]! - visibleWidth(cell)));
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

const graphemes = new Intl.Segmenter();

function visibleWidth(cell: string): number {
  return [...graphemes.segment(stripVTControlCharacters(cell))].length;
}
