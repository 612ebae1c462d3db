import type { Config } from '../../model/config/schema.ts';
import { allBoxes, type BoxKind, type PlacedBox, type PlacedText } from './layout.ts';
import { composePage, type Arrow } from './page.ts';

/** Told apart by frame as well as by shade, so that a black and white print shows the same. */
const STYLES: Record<BoxKind, string> = {
  region: 'fill="#ffffff" stroke="#1a2733" stroke-width="2"',
  network: 'fill="#ffffff" stroke="#4a4a9c" stroke-width="1.5"',
  zone: 'fill="#ffffff" stroke="#7a8794" stroke-width="1" stroke-dasharray="5 3"',
  public: 'fill="#f1f8ec" stroke="#8bb174" stroke-width="1"',
  private: 'fill="#edf4fb" stroke="#7fa3c7" stroke-width="1"',
  group: 'fill="none" stroke="#c3cad1" stroke-width="1"',
  resource: 'fill="#ffffff" stroke="#56616b" stroke-width="1"',
  stage: 'fill="#f4f4f4" stroke="#56616b" stroke-width="1"',
  frameless: '',
  entry: 'fill="#f6f1e7" stroke="#1a2733" stroke-width="1.5"',
};
/** Where the baseline is, from a line's upper edge, as a part of the size. */
const BASELINE = 1.02;

/** The environment that a configuration describes, as an SVG document for A4. */
export function drawDiagram(config: Config): string {
  const page = composePage(config);
  const { width, height, widthMm, heightMm, heading } = page;
  const boxes = page.boxes.flatMap(allBoxes);
  const names = config.regions.join(', ');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${rounded(widthMm)}mm" height="${rounded(heightMm)}mm" viewBox="0 0 ${rounded(width)} ${rounded(height)}" role="img" aria-labelledby="title description" font-family="Arial, Helvetica, 'Liberation Sans', sans-serif">
<title id="title">${escaped(heading)}: its environment on AWS</title>
<desc id="description">${escaped(describe(config, names))}</desc>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="#1a2733"/></marker></defs>
<rect width="100%" height="100%" fill="#ffffff"/>
${boxes
  .filter(({ kind }) => kind !== 'frameless')
  .map(boxElement)
  .join('\n')}
${page.arrows.map(arrowElement).join('\n')}
${[...page.texts, ...boxes.flatMap(({ texts }) => texts)].map(textElement).join('\n')}
</svg>
`;
}

function describe({ domain, network, pipeline }: Config, regions: string): string {
  const way = domain.name === '' ? 'each load balancer’s own address' : `Route 53 at ${domain.name}`;
  const gate = pipeline.approval.required ? ', an approval' : '';
  return (
    `People reach ${regions} through ${way}. Each region has a network with load balancers, tasks in two private subnets ` +
    `and NAT ${network.nat}; a repository, a pipeline of source, build, staging${gate} and production, and images; ` +
    'and its own dashboard, alarms and Terraform state.'
  );
}

function boxElement({ kind, x, y, width, height }: PlacedBox): string {
  const radius = kind === 'region' ? 6 : 3;
  return `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}" rx="${radius}" ${STYLES[kind]}/>`;
}

function arrowElement({ points, hasTwoHeads }: Arrow): string {
  const corners = points.map(({ x, y }) => `${rounded(x)},${rounded(y)}`).join(' ');
  return `<polyline points="${corners}" fill="none" stroke="#1a2733" stroke-width="1.5" marker-end="url(#head)"${hasTwoHeads ? ' marker-start="url(#head)"' : ''}/>`;
}

function textElement({ text, x, y, size, isBold }: PlacedText): string {
  return `<text x="${rounded(x)}" y="${rounded(y + size * BASELINE)}" font-size="${size}"${isBold ? ' font-weight="bold"' : ''}>${escaped(text)}</text>`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Characters that XML forbids even escaped are left out (XML 1.0, 2.2). */
function escaped(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
