/** `1,234.50`: dollars and cents, as they stand in a column. */
export function formatUsd(usd: number): string {
  // Rounding may leave a minus before zero.
  const rounded = Math.round(usd * 100) / 100 || 0;
  return rounded.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** `+12.00` or `−3.50`. */
export function formatUsdChange(usd: number): string {
  return `${usd < -0.005 ? '−' : '+'}${formatUsd(Math.abs(usd))}`;
}

/** Fills the cells of every column but the first from the left, so that numbers stand below each other. */
export function alignRight(rows: readonly (readonly string[])[]): string[][] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map(row => row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column]!))));
}
