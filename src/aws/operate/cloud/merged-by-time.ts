import type { Instant } from '../../../core/instant.ts';

/** Makes one sequence of several, each in the order of time, that holds one item of each at once. All end with it. */
export async function* mergedByTime<Item extends { at: Instant }>(
  sequences: readonly AsyncGenerator<Item>[],
): AsyncGenerator<Item> {
  try {
    const heads = await Promise.all(sequences.map(sequence => sequence.next()));
    for (;;) {
      let earliest = -1;
      let item: Item | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done || (item !== undefined && head.value.at >= item.at)) continue;
        earliest = index;
        item = head.value;
      }
      if (item === undefined) return;
      yield item;
      heads[earliest] = await sequences[earliest]!.next();
    }
  } finally {
    await Promise.all(sequences.map(sequence => sequence.return(undefined)));
  }
}
