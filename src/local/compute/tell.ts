import type { NewRegionEvent } from '../../model/event.ts';
import type { EventLog } from '../telemetry/contract.ts';

/**
 * Appends to the event log where that is possible. A full disk refuses events, and what the service does must not
 * depend on its being told.
 */
export function tell(events: EventLog, event: NewRegionEvent): void {
  try {
    events.append(event);
  } catch {
    // The record of what was done is in the service's own tables.
  }
}
