import { wrapText } from './text-width.ts';

export type BoxKind =
  | 'region'
  | 'network'
  | 'zone'
  | 'public'
  | 'private'
  | 'resource'
  | 'stage'
  | 'group'
  | 'entry'
  /** Only holds others together: has no frame, and no title. */
  | 'frameless';

/** Something with a name, some lines about it, and things inside it. */
export interface Box {
  kind: BoxKind;
  /** For connectors to find it. */
  id?: string;
  title: string;
  lines?: readonly string[];
  children?: readonly Box[];
  /** How its children stand; default: below each other. */
  direction?: 'row' | 'column';
}

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedText extends Pick<Rectangle, 'x' | 'y'> {
  /** `y` is the line's upper edge. */
  text: string;
  size: number;
  isBold: boolean;
}

export interface PlacedBox extends Rectangle {
  kind: BoxKind;
  id?: string;
  texts: PlacedText[];
  children: PlacedBox[];
}

const TITLE_SIZE = 13;
const LINE_SIZE = 11.5;
/** Line height as a part of the size: room for ascenders and descenders. */
export const LEADING = 1.3;
const GAP = 10;
/** Stages of one pipeline stand closer. */
const STAGE_GAP = 4;

interface Measures {
  padding: number;
  titleSize: number;
}

function measuresOf({ kind }: Box): Measures {
  if (kind === 'frameless') return { padding: 0, titleSize: TITLE_SIZE };
  return kind === 'stage' ? { padding: 4, titleSize: LINE_SIZE } : { padding: 8, titleSize: TITLE_SIZE };
}

interface Place {
  x: number;
  y: number;
  width: number;
  /** Heights that its children have at least, so that neighbours' children stand level. */
  childHeights?: readonly number[];
}

/** Places a box of that width at that point; its height is what it needs. */
export function place(box: Box, at: Place): PlacedBox {
  const { x, y, width } = at;
  const { padding } = measuresOf(box);
  const texts = placeTexts(box, at);
  const last = texts.at(-1);
  const below = last === undefined ? y + padding : last.y + last.size * LEADING;
  const inner = { ...at, x: x + padding, y: last ? below + GAP / 2 : below, width: width - 2 * padding };
  const children = box.direction === 'row' ? placeRow(box.children, inner) : placeColumn(box.children, inner);
  const end = Math.max(below, ...children.map(child => child.y + child.height));
  return {
    kind: box.kind,
    ...(box.id !== undefined && { id: box.id }),
    x,
    y,
    width,
    height: end + padding - y,
    texts,
    children,
  };
}

function placeTexts(box: Box, { x, y, width }: Place): PlacedText[] {
  const { padding, titleSize } = measuresOf(box);
  const texts: PlacedText[] = [];
  let next = y + padding;
  const write = (text: string, size: number, isBold: boolean) => {
    for (const line of wrapText(text, width - 2 * padding, size, isBold)) {
      texts.push({ text: line, x: x + padding, y: next, size, isBold });
      next += size * LEADING;
    }
  };
  write(box.title, titleSize, true);
  for (const line of box.lines ?? []) write(line, LINE_SIZE, false);
  return texts;
}

function placeColumn(boxes: readonly Box[] = [], { x, y, width, childHeights = [] }: Place): PlacedBox[] {
  let next = y;
  return boxes.map((box, index) => {
    const placed = place(box, { x, y: next, width });
    const height = Math.max(placed.height, childHeights[index] ?? 0);
    next += height + GAP;
    return { ...placed, height };
  });
}

/** Equal widths, the height of the tallest, and children level with each other. */
function placeRow(boxes: readonly Box[] = [], { x, y, width }: Place): PlacedBox[] {
  const gap = boxes[0]?.kind === 'stage' ? STAGE_GAP : GAP;
  const each = (width - gap * (boxes.length - 1)) / Math.max(1, boxes.length);
  const placeAll = (childHeights: readonly number[]) =>
    boxes.map((box, index) => place(box, { x: x + index * (each + gap), y, width: each, childHeights }));
  const freely = placeAll([]);
  const rows = Math.max(0, ...freely.map(({ children }) => children.length));
  const childHeights = Array.from({ length: rows }, (_, row) =>
    Math.max(...freely.map(({ children }) => children[row]?.height ?? 0)),
  );
  const level = placeAll(childHeights);
  return withHeight(level, Math.max(0, ...level.map(({ height }) => height)));
}

export function withHeight(boxes: readonly PlacedBox[], height: number): PlacedBox[] {
  return boxes.map(box => ({ ...box, height }));
}

/** A box and all within it. */
export function allBoxes(box: PlacedBox): PlacedBox[] {
  return [box, ...box.children.flatMap(allBoxes)];
}
