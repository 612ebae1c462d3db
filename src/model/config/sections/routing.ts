import { z } from 'zod';
import { awsRegions } from '../regions.ts';
import { formed } from './text.ts';

/** Two-letter codes alone would not say: `AF` is Africa, and Afghanistan. */
const PLACE = 'a place as `continent:EU` or `country:US`, in the codes of Route 53';
const location = formed(/^(continent:(AF|AN|AS|EU|NA|OC|SA)|country:[A-Z]{2})$/, PLACE).refine(
  place => !place.startsWith('country:') || isCountry(place.slice(-2)),
  { error: PLACE },
);

/** ISO 3166's codes: Unicode's names for regions, without those that are no country's, or not its present one (`UK`). */
function isCountry(code: string): boolean {
  const name = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(code);
  return (
    name !== undefined &&
    new Intl.Locale(`und-${code}`).region === code &&
    !['AC', 'CP', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'TA', 'UN', 'XA', 'XB', 'ZZ'].includes(code)
  );
}

export const routingSchema = z.strictObject({
  policy: z
    .enum(['failover', 'latency', 'weighted', 'geolocation'])
    .default('failover')
    .describe(
      'Which region answers: the first healthy one in the order of `regions`, the nearest, by weight, or by where people are.',
    ),
  weights: z
    .partialRecord(z.enum(awsRegions), z.int().min(0).max(255))
    .default({})
    .describe('For `weighted`: each region’s share of all requests, relative to the others.')
    .meta({ allowed: 'a whole number from 0 to 255 for each region; a region without one has 100' }),
  locations: z
    .partialRecord(z.enum(awsRegions), z.array(location).min(1))
    .default({})
    .describe('For `geolocation`: who is answered by which region; everybody else as with `failover`.')
    .meta({ allowed: 'for a region, a list of places as `continent:EU` or `country:US`; each place once' }),
  healthCheck: z
    .strictObject({
      intervalSeconds: z
        .union([z.literal(10), z.literal(30)])
        .default(30)
        .describe('Seconds between checks by one checker; AWS charges more for 10.')
        .meta({ allowed: '10 or 30' }),
      failureThreshold: z
        .int()
        .min(1)
        .max(10)
        .default(3)
        .describe(
          'Checks in a row that fail before requests go elsewhere, and that succeed before they return.',
        ),
    })
    .prefault({})
    .describe('How it is found out, from all over the world, that a region does not answer.'),
  regionSwitch: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          'Move production by a plan of AWS’s Region switch, for 70 USD a month: first as many tasks, then the requests.',
        ),
      automatic: z
        .boolean()
        .default(true)
        .describe('Run it when the primary does not answer. Else requests move only when a person runs it.'),
      minutesBetween: z
        .int()
        .min(10)
        .max(1440)
        .default(60)
        .describe('How long after an execution no other begins by itself.'),
      recoveryTimeMinutes: z
        .int()
        .min(1)
        .max(1440)
        .default(10)
        .describe('What a recovery may take; AWS compares executions with it.'),
    })
    .prefault({})
    .describe('For `failover` between two regions, with a domain.'),
});

interface RoutingFault {
  path: (string | number)[];
  input: unknown;
  message: string;
}

/** What the section cannot see by itself: whether its regions are those of the file, and each place is named once. */
export function routingFaults(
  routing: z.output<typeof routingSchema>,
  regions: readonly string[],
  domainName: string,
): RoutingFault[] {
  const named = (['weights', 'locations'] as const).flatMap(key =>
    Object.keys(routing[key])
      .filter(region => !regions.includes(region))
      .map(region => ({
        path: ['routing', key, region],
        input: region,
        message: `one of this file's regions: ${regions.join(', ')}`,
      })),
  );
  const places = Object.entries(routing.locations).flatMap(([region, listed]) =>
    listed.map((place, index) => ({ path: ['routing', 'locations', region, index], place })),
  );
  const twice = places
    .filter(({ place }, index) => places.findIndex(other => other.place === place) < index)
    .map(({ path, place }) => ({ path, input: place, message: 'each place once: it has one region' }));
  const lacking =
    routing.policy === 'geolocation' && places.length === 0
      ? [
          {
            path: ['routing', 'locations'],
            input: routing.locations,
            message: 'places for at least one region, for the policy is geolocation',
          },
        ]
      : [];
  const canSwitch = routing.policy === 'failover' && regions.length === 2 && domainName !== '';
  const unswitchable =
    routing.regionSwitch.enabled && !canSwitch
      ? [
          {
            path: ['routing', 'regionSwitch', 'enabled'],
            input: true,
            message: 'false, but for two regions with a domain and the policy failover',
          },
        ]
      : [];
  return [...named, ...twice, ...lacking, ...unswitchable];
}
