/**
 * Smooth weighted round robin: whose turn it is among `weights`. Each turn everyone's credit grows by their
 * weight, the richest goes and pays the sum; so a weight of 10 in 100 goes every tenth time, evenly spread
 * rather than by chance. `credits` is changed in place. Returns -1 where no weight is positive.
 */
export function takeWeightedTurn(credits: number[], weights: readonly number[]): number {
  let total = 0;
  let chosen = -1;
  for (let index = 0; index < weights.length; index += 1) {
    const weight = weights[index]!;
    if (weight <= 0) continue;
    total += weight;
    credits[index] = (credits[index] ?? 0) + weight;
    if (chosen === -1 || credits[index]! > credits[chosen]!) chosen = index;
  }
  if (chosen !== -1) credits[chosen]! -= total;
  return chosen;
}
