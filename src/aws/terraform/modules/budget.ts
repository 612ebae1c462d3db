import { BudgetsBudget } from '@cdktn/provider-aws/lib/budgets-budget/index.js';
import type { Construct } from 'constructs';

export interface BudgetInput {
  name: string;
  monthlyUsd: number;
  /** Only what carries this tag counts. It must be activated as a cost allocation tag in the account's billing settings. */
  tag: { key: string; value: string };
  /** Told when so many per cent of the amount are spent. */
  spentPercents: readonly number[];
  /** Told when AWS expects that the month will end above so many per cent; 0: never. */
  forecastPercent: number;
  topicArn: string;
}

/** Tells people before, and when, a month costs more than it should. It stops nothing. */
export function budget(scope: Construct, id: string, input: BudgetInput): void {
  const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
    notificationType,
    threshold,
    thresholdType: 'PERCENTAGE',
    comparisonOperator: 'GREATER_THAN',
    subscriberSnsTopicArns: [input.topicArn],
  });
  new BudgetsBudget(scope, id, {
    name: input.name,
    budgetType: 'COST',
    timeUnit: 'MONTHLY',
    limitAmount: String(input.monthlyUsd),
    limitUnit: 'USD',
    costFilter: [{ name: 'TagKeyValue', values: [`user:${input.tag.key}$${input.tag.value}`] }],
    notification: [
      ...input.spentPercents.map(percent => notify('ACTUAL', percent)),
      ...(input.forecastPercent > 0 ? [notify('FORECASTED', input.forecastPercent)] : []),
    ],
  });
}
