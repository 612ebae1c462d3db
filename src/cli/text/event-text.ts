import { formatInstant } from '../../core/instant.ts';
import type { RegionEvent } from '../../model/event.ts';
import type { Paint } from '../context.ts';
import { printable } from './printable.ts';

/** One line: when, where, who says it, and what happened; warnings and errors in their colour. */
export function eventLine(event: RegionEvent, paint: Paint): string {
  const colour = { info: (text: string) => text, warning: paint.yellow, error: paint.red }[event.severity];
  const when = paint.dim(formatInstant(event.at));
  return `${when} ${paint.cyan(`${event.region} ${event.source}`)} ${colour(printable(event.message))}`;
}
