/**
 * Widths of Arial and Helvetica in thousandths of the size, the wider of the two faces that browsers put in their place
 * (Liberation Sans has the same). Characters that are not listed count as wide as the widest letter.
 */
const NARROW: readonly [string, number][] = [
  ["'|", 260],
  ['ijl', 230],
  [' !,./:;I[]ft\\', 280],
  ['()-r`·', 340],
  ['*', 390],
  ['cksvxyz^J', 505],
  ['"', 360],
  ['abdeghnopqu0123456789_$#?L', 560],
  ['+<=>~FTZ', 615],
  ['ABEKPSVXY&', 670],
  ['CDHNRUw', 725],
  ['GOQ', 780],
  ['mM', 835],
  ['%W', 945],
];
const WIDTHS = new Map(
  NARROW.flatMap(([letters, width]) => Array.from(letters, letter => [letter, width] as const)),
);
const WIDEST = 1000;
const BOLD_FACTOR = 1.09;

/** Never less than what a browser needs for it. */
export function textWidth(text: string, size: number, isBold = false): number {
  const thousandths = Array.from(text, letter => WIDTHS.get(letter) ?? WIDEST).reduce((a, b) => a + b, 0);
  return (thousandths / 1000) * size * (isBold ? BOLD_FACTOR : 1);
}

/** Lines that are no wider than `width`, broken between words where that is possible, else within them. */
export function wrapText(text: string, width: number, size: number, isBold = false): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap(part => piecesOf(part, { width, size, isBold }))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer, size, isBold) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].filter(given => given !== '');
}

function piecesOf(
  word: string,
  { width, size, isBold }: { width: number; size: number; isBold: boolean },
): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const letter of word) {
    if (piece !== '' && textWidth(piece + letter, size, isBold) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += letter;
  }
  return [...pieces, piece];
}
