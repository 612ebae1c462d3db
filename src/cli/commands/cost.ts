import { resolve } from 'node:path';
import { TandemError } from '../../core/error.ts';
import type { Config } from '../../model/config/schema.ts';
import type { CostEstimate } from '../../model/cost.ts';
import { readTextIfExists } from '../../platform/files.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import {
  changeLines,
  costByItem,
  costByResource,
  costMatrix,
  costRemarks,
  leverLines,
  priceLines,
} from '../text/cost-text.ts';

interface CostOptions {
  resources: boolean;
  prices: boolean;
  plan?: string[];
}

export const cost = defineCommand<CostOptions>({
  name: 'cost',
  summary: 'Estimate what a month of this application costs on AWS',
  details:
    'Computed from the Terraform that `tandem synth` writes, a dated table of prices, and what the section `usage` of ' +
    'the configuration assumes. Asks nothing of AWS. With --plan, says what applying saved plans would change.',
  examples: [
    'tandem cost',
    'tandem cost --resources --region us-west-2',
    'terraform show -json plan > plan.json && tandem cost --plan plan.json',
  ],
  options: [
    { flags: '--resources', description: 'every resource by itself', default: false },
    { flags: '--prices', description: 'every price that was used, with its date and source', default: false },
    {
      flags: '--plan <file...>',
      description: 'the change that these plans make (`terraform show -json`), one of each root module',
    },
  ],
  takesRegion: true,
  isForAws: true,
  async run(context, { resources, prices, plan }) {
    const config = await context.config();
    if (plan) return showChange(context, config, plan);
    const report = await context.cost.report(config);
    const regions = chosenRegions(context, config);
    const estimate = inRegions(report.estimate, regions);
    if (context.json) {
      context.printJson({ ...report, estimate });
      return EXIT.done;
    }
    const print = (lines: readonly string[]) => lines.forEach(line => context.print(line));
    context.print(
      context.paint.bold(`${config.application} of ${config.customer}: USD a month on AWS, estimated`),
    );
    context.print();
    print(costMatrix(estimate.lines, regions));
    context.print();
    print(resources ? costByResource(estimate.lines) : costByItem(estimate.lines));
    if (prices) {
      context.print();
      print(priceLines(estimate));
    }
    context.print();
    context.print(context.paint.bold('Levers, each by itself, over all regions'));
    print(leverLines(report.levers));
    context.print();
    print(costRemarks(estimate, config.usage));
    return EXIT.done;
  },
});

function chosenRegions({ chosenRegions: chosen }: CommandContext, { regions }: Config): string[] {
  const unknown = chosen.find(region => !(regions as readonly string[]).includes(region));
  if (unknown !== undefined) {
    throw new TandemError(
      'REGION_UNKNOWN',
      `there is no region ${unknown} here, only ${regions.join(', ')}`,
      { data: { region: unknown, known: regions } },
    );
  }
  return regions.filter(region => chosen.length === 0 || chosen.includes(region));
}

function inRegions(estimate: CostEstimate, regions: readonly string[]): CostEstimate {
  const lines = estimate.lines.filter(({ region }) => regions.includes(region));
  return {
    ...estimate,
    lines,
    total: lines.reduce((total, { usd }) => total + usd, 0),
    substituted: estimate.substituted.filter(({ region }) => regions.includes(region)),
    notCovered: estimate.notCovered.filter(({ region }) => regions.includes(region)),
  };
}

async function showChange(context: CommandContext, { usage }: Config, files: readonly string[]) {
  const plans = await Promise.all(files.map(file => readPlan(resolve(context.workingFolder, file))));
  const change = await context.cost.change(plans, usage);
  if (context.json) context.printJson(change);
  else changeLines(change).forEach(line => context.print(line));
  return EXIT.done;
}

async function readPlan(path: string): Promise<object> {
  const text = await readTextIfExists(path);
  try {
    const plan: unknown = JSON.parse(text ?? '');
    if (typeof plan === 'object' && plan !== null) return plan;
  } catch {
    // Said below.
  }
  throw new TandemError(
    'PLAN_INVALID',
    text === undefined
      ? `there is no file ${path}: \`terraform show -json <plan> > ${path}\` writes it`
      : `${path} is no Terraform plan in JSON: \`terraform show -json <plan>\` writes one`,
    { data: { path } },
  );
}
