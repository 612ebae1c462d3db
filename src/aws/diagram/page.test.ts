import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { awsRegions } from '../../model/config/regions.ts';
import { configSchema, type Config } from '../../model/config/schema.ts';
import { allBoxes, LEADING, type PlacedText, type Rectangle } from './layout.ts';
import { composePage, placedTextWidth, type Page } from './page.ts';
import { drawDiagram } from './svg.ts';

const configs = fc
  .record({
    application: fc.stringMatching(/^[a-z][a-z0-9]{1,6}(-[a-z0-9]{1,6})?$/),
    customer: fc.constantFrom('internal', 'ab', 'acme', 'b2-c3', 'w-m-w-m'),
    regions: fc.uniqueArray(fc.constantFrom(...awsRegions), { minLength: 1, maxLength: 5 }),
    network: fc.record({
      nat: fc.constantFrom('per-zone', 'single', 'regional', 'none'),
      firstBlock: fc.integer({ min: 0, max: 250 }),
      flowLogs: fc.boolean(),
    }),
    domain: fc.constantFrom(
      {},
      { name: 'shop.example.com', zoneId: 'Z0123456789ABC' },
      { name: `${'w'.repeat(26)}.${'m'.repeat(25)}.example.com`, zoneId: 'Z0123456789ABC' },
    ),
    routing: fc.record({ policy: fc.constantFrom('failover', 'latency', 'weighted') }),
    pipeline: fc.record({
      branch: fc.constantFrom('main', 'a-branch-with-an-exceedingly-long-name/and-more-of-it'),
      approval: fc.record({ required: fc.boolean() }),
    }),
    aws: fc.record({
      architecture: fc.constantFrom('X86_64', 'ARM64'),
      spotPercent: fc.integer({ min: 0, max: 100 }),
      standby: fc.constantFrom('full', 'warm', 'pilot-light'),
    }),
    environments: fc.record({ dev: fc.record({ enabled: fc.boolean() }) }),
  })
  .map(given => configSchema.parse(given));

describe('whatever is configured', () => {
  test('no text leaves its box, and none meets another', () =>
    holds(page => {
      for (const box of boxesOf(page)) {
        for (const text of box.texts) expect(contains(box, rectangleOf(text)), text.text).toBe(true);
      }
      const texts = textsOf(page).map(rectangleOf);
      expect(pairs(texts).filter(([a, b]) => overlap(a, b))).toEqual([]);
    }));

  test('boxes lie within what holds them, beside each other, and on the page', () =>
    holds(page => {
      for (const box of boxesOf(page)) {
        for (const child of box.children) expect(contains(box, child)).toBe(true);
        expect(pairs(box.children).filter(([a, b]) => overlap(a, b))).toEqual([]);
        const inside = box.children.map(child => ({ ...child }));
        expect(box.texts.some(text => inside.some(child => overlap(child, rectangleOf(text))))).toBe(false);
      }
      expect(pairs(page.boxes).filter(([a, b]) => overlap(a, b))).toEqual([]);
      const paper = { x: 0, y: 0, width: page.width, height: page.height };
      for (const part of [...page.boxes, ...page.texts.map(rectangleOf)])
        expect(contains(paper, part)).toBe(true);
    }));

  test('it fits on A4', () =>
    holds(({ widthMm, heightMm }) => {
      const [short, long] = [widthMm, heightMm].sort((a, b) => a - b);
      expect(short).toBeLessThanOrEqual(190.001);
      expect(long).toBeLessThanOrEqual(277.001);
    }));

  test('arrows pass through no region on their way', () =>
    holds(({ boxes, arrows }, config) => {
      const regions = boxes.slice(1);
      expect(regions).toHaveLength(config.regions.length);
      for (const { points } of arrows) {
        for (const [index, from] of points.slice(0, -1).entries()) {
          const to = points[index + 1]!;
          const line = {
            x: Math.min(from.x, to.x),
            y: Math.min(from.y, to.y),
            width: Math.abs(from.x - to.x),
            height: Math.abs(from.y - to.y),
          };
          expect(regions.some(region => overlap(region, line))).toBe(false);
        }
      }
    }));
});

test.each([
  [2, 7],
  [4, 5.1],
  [5, 4.4],
])('%i regions on one sheet of A4: no letter is smaller than %f points', (most, points) => {
  for (let count = 1; count <= most; count += 1) {
    const { width, widthMm, ...page } = composePage(
      configSchema.parse({ application: 'storefront', regions: awsRegions.slice(0, count) }),
    );
    const smallest = Math.min(...textsOf({ width, widthMm, ...page }).map(({ size }) => size));
    expect((smallest * widthMm) / width / 0.3528, `${count} regions`).toBeGreaterThan(points);
  }
});

test('the drawing names itself for those who cannot see it, and lets nothing through that XML would read', () => {
  const config = configSchema.parse({ application: 'storefront' });
  // No valid branch has a control character in it; the drawing does not count on that.
  const svg = drawDiagram({ ...config, pipeline: { ...config.pipeline, branch: '<script>&"\u0001' } });
  expect(svg).toContain('role="img" aria-labelledby="title description"');
  expect(svg).toContain('<title id="title">storefront of internal: its environment on AWS</title>');
  expect(svg).toContain('from a push to &lt;script&gt;&amp;&quot;<');
});

function holds(check: (page: Page, config: Config) => void): void {
  fc.assert(
    fc.property(configs, config => check(composePage(config), config)),
    { numRuns: 15 },
  );
}

function boxesOf(page: Page) {
  return page.boxes.flatMap(allBoxes);
}

function textsOf(page: Page): PlacedText[] {
  return [...page.texts, ...boxesOf(page).flatMap(({ texts }) => texts)];
}

function rectangleOf(text: PlacedText): Rectangle {
  return { x: text.x, y: text.y, width: placedTextWidth(text), height: text.size * LEADING };
}

/** Touching is allowed, and so is what rounding makes of it. */
const SLACK = 1e-6;

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    inner.x >= outer.x - SLACK &&
    inner.y >= outer.y - SLACK &&
    inner.x + inner.width <= outer.x + outer.width + SLACK &&
    inner.y + inner.height <= outer.y + outer.height + SLACK
  );
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return (
    a.x < b.x + b.width - SLACK &&
    b.x < a.x + a.width - SLACK &&
    a.y < b.y + b.height - SLACK &&
    b.y < a.y + a.height - SLACK
  );
}

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((item, index) => items.slice(index + 1).map((other): [Item, Item] => [item, other]));
}
