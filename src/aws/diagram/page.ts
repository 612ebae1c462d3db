import type { Config } from '../../model/config/schema.ts';
import { entryBox, regionBox } from './content.ts';
import { LEADING, place, withHeight, type PlacedBox, type PlacedText } from './layout.ts';
import { textWidth, wrapText } from './text-width.ts';

const REGION_WIDTH = 392;
/** Between regions, wide enough for an arrow. */
const COLUMN_GAP = 44;
const ROW_GAP = 44;
const MARGIN = 28;
/** Room at the left for the line that leads to further rows. */
const TRUNK = 24;
const HEADING_SIZE = 20;
const SUBHEADING_SIZE = 12;
/** A4 within its margins, in millimetres. */
const SHORT_SIDE_MM = 190;
const LONG_SIDE_MM = 277;

export interface Arrow {
  /** Corners, from its beginning to its head. */
  points: { x: number; y: number }[];
  hasTwoHeads: boolean;
}

export interface Page {
  width: number;
  height: number;
  widthMm: number;
  heightMm: number;
  heading: string;
  texts: PlacedText[];
  boxes: PlacedBox[];
  arrows: Arrow[];
}

/** The whole page, with as many regions side by side as make its text largest. */
export function composePage(config: Config): Page {
  const candidates = config.regions.map((_, index) => compose(config, index + 1));
  return candidates.reduce((best, page) => (scaleOf(page) > scaleOf(best) ? page : best));
}

function scaleOf({ widthMm, width }: Page): number {
  return widthMm / width;
}

function compose(config: Config, columns: number): Page {
  const rows = rowsOf(config.regions, columns);
  const left = MARGIN + (rows.length > 1 ? TRUNK : 0);
  const innerWidth = columns * REGION_WIDTH + (columns - 1) * COLUMN_GAP;
  const texts = headingTexts(config, innerWidth);
  let next = endOf(texts) + 16;
  const entryWidth = Math.min(innerWidth, 460);
  const entry = place(entryBox(config), {
    x: left + (innerWidth - entryWidth) / 2,
    y: next,
    width: entryWidth,
  });
  next += entry.height + ROW_GAP;
  const placedRows = rows.map(row => {
    const placed = placeRegions(config, row, { x: left, y: next });
    next += placed[0]!.height + ROW_GAP;
    return placed;
  });
  const notes = noteTexts(config, { x: left, y: next - ROW_GAP + 14, width: innerWidth });
  const width = left + innerWidth + MARGIN;
  const height = endOf(notes) + MARGIN;
  return {
    width,
    height,
    ...paperFor(width, height),
    heading: headingOf(config),
    texts: [...texts.map(text => ({ ...text, x: left })), ...notes],
    boxes: [entry, ...placedRows.flat()],
    arrows: [...entryArrows(entry, placedRows), ...placedRows.flatMap(replicationArrows)],
  };
}

function rowsOf<Region>(regions: readonly Region[], columns: number): Region[][] {
  const count = Math.ceil(regions.length / columns);
  return Array.from({ length: count }, (_, row) => regions.slice(row * columns, (row + 1) * columns));
}

function placeRegions(
  config: Config,
  regions: readonly Config['regions'][number][],
  { x, y }: { x: number; y: number },
): PlacedBox[] {
  const placed = regions.map((region, index) =>
    place(regionBox(config, region), {
      x: x + index * (REGION_WIDTH + COLUMN_GAP),
      y,
      width: REGION_WIDTH,
    }),
  );
  return withHeight(placed, Math.max(...placed.map(({ height }) => height)));
}

function headingOf({ application, customer }: Config): string {
  return `${application} of ${customer}`;
}

function headingTexts(config: Config, width: number): PlacedText[] {
  const { regions, deployment } = config;
  const subheading = `${regions.length === 1 ? 'One region' : `${regions.length} regions`} on AWS, ${deployment.strategy} deployments`;
  const heading = block(headingOf(config), { x: 0, y: MARGIN, width, size: HEADING_SIZE, isBold: true });
  return [
    ...heading,
    ...block(subheading, { x: 0, y: endOf(heading), width, size: SUBHEADING_SIZE, isBold: false }),
  ];
}

function noteTexts(config: Config, { x, y, width }: { x: number; y: number; width: number }): PlacedText[] {
  const replication = `Regions share nothing: each has its own repository, images, pipeline and state. Commits (${config.replication}) and images are replicated both ways.`;
  const text = config.regions.length > 1 ? replication : 'One region: a failure of it is a failure of all.';
  return block(text, { x, y, width, size: SUBHEADING_SIZE, isBold: false });
}

function block(
  text: string,
  { x, y, width, size, isBold }: { x: number; y: number; width: number; size: number; isBold: boolean },
): PlacedText[] {
  return wrapText(text, width, size, isBold).map((line, index) => ({
    text: line,
    x,
    y: y + index * size * LEADING,
    size,
    isBold,
  }));
}

function endOf(texts: readonly PlacedText[]): number {
  return Math.max(0, ...texts.map(({ y, size }) => y + size * LEADING));
}

/** From where people come in to every region: down the middle to the first row, down the left side to further ones. */
function entryArrows(entry: PlacedBox, rows: readonly (readonly PlacedBox[])[]): Arrow[] {
  const middle = entry.x + entry.width / 2;
  const trunk = rows[0]![0]!.x - TRUNK;
  return rows.flatMap((row, index) => {
    const busY = row[0]!.y - ROW_GAP / 2;
    const start =
      index === 0
        ? [{ x: middle, y: entry.y + entry.height }]
        : [
            { x: middle, y: entry.y + entry.height },
            { x: middle, y: rows[0]![0]!.y - ROW_GAP / 2 },
            { x: trunk, y: rows[0]![0]!.y - ROW_GAP / 2 },
            { x: trunk, y: busY },
          ];
    return row.map(region => {
      const x = region.x + region.width / 2;
      const corner = start.at(-1)!;
      return {
        points: [
          ...start,
          ...(corner.x === x
            ? []
            : [
                { x: corner.x, y: busY },
                { x, y: busY },
              ]),
          { x, y: region.y },
        ],
        hasTwoHeads: false,
      };
    });
  });
}

/** Between neighbours, at the height of what is replicated. */
function replicationArrows(row: readonly PlacedBox[]): Arrow[] {
  return row.slice(1).map((region, index) => {
    const before = row[index]!;
    const delivery = before.children.find(({ id }) => id?.endsWith(' delivery') === true) ?? before;
    const y = delivery.y + delivery.height / 2;
    return {
      points: [
        { x: before.x + before.width, y },
        { x: region.x, y },
      ],
      hasTwoHeads: true,
    };
  });
}

/** A4, lying or standing, whichever gives it more room. */
function paperFor(width: number, height: number): { widthMm: number; heightMm: number } {
  const isLying = width > height;
  const [paperWidth, paperHeight] = isLying ? [LONG_SIDE_MM, SHORT_SIDE_MM] : [SHORT_SIDE_MM, LONG_SIDE_MM];
  const scale = Math.min(paperWidth / width, paperHeight / height);
  return { widthMm: width * scale, heightMm: height * scale };
}

export function placedTextWidth({ text, size, isBold }: PlacedText): number {
  return textWidth(text, size, isBold);
}
