import type { Config } from '../../model/config/schema.ts';
import type { Leftover } from '../../model/infrastructure.ts';
import type { CommandContext, Paint } from '../context.ts';
import { printable } from '../text/printable.ts';
import { table } from '../text/table.ts';

export interface PricedLeftover extends Leftover {
  /** A month of it; absent where it cannot be told. */
  usdPerMonth?: number;
}

/** What each costs a month, by its type alone: a plan that has nothing but the leftovers in it. */
export async function priceLeftovers(
  { cost }: CommandContext,
  config: Config,
  leftovers: readonly Leftover[],
): Promise<PricedLeftover[]> {
  return Promise.all(
    leftovers.map(async leftover => {
      const { type, region } = leftover;
      if (type === undefined) return leftover;
      const { after, notCovered } = await cost.change([planOfOne(type, region)], config.usage);
      return notCovered.length > 0 ? leftover : { ...leftover, usdPerMonth: after };
    }),
  );
}

/** One line a leftover, the dearest first, each followed by what deletes it. */
export function leftoverLines(leftovers: readonly PricedLeftover[], paint: Paint): string[] {
  if (leftovers.length === 0) return [];
  const ordered = [...leftovers].sort((a, b) => (b.usdPerMonth ?? 0) - (a.usdPerMonth ?? 0));
  const rows = ordered.map(({ arn, region, usdPerMonth }) => [
    region,
    printable(nameOf(arn)),
    priceText(usdPerMonth),
  ]);
  const count = leftovers.length === 1 ? '1 thing is' : `${leftovers.length} things are`;
  return [
    paint.bold(paint.red(`${count} left on AWS:`)),
    ...table(rows, '  ').flatMap((line, index) => [
      line,
      paint.dim(`    ${printable(ordered[index]!.mend)}`),
    ]),
  ];
}

/** What follows the account: `ec2 natgateway/nat-1`. */
function nameOf(arn: string): string {
  const [, , service = '', , , ...rest] = arn.split(':');
  return `${service} ${rest.join(':')}`;
}

function priceText(usdPerMonth: number | undefined): string {
  if (usdPerMonth === undefined) return 'price unknown';
  return usdPerMonth < 0.005 ? 'free' : `${usdPerMonth.toFixed(2)} USD a month`;
}

function planOfOne(type: string, region: string): object {
  const address = `${type}.left`;
  return {
    planned_values: { root_module: { resources: [{ address, type, mode: 'managed', values: {} }] } },
    configuration: {
      provider_config: { aws: { expressions: { region: { constant_value: region } } } },
      root_module: { resources: [{ address }] },
    },
  };
}
