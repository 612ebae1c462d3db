import { SECOND_MS } from '../../../core/duration.ts';
import { parseInstant, type Instant } from '../../../core/instant.ts';
import { requestMessage } from '../../../model/request-line.ts';

/*
 * A line of an Application Load Balancer's access log ("Access logs for your Application Load Balancer", Syntax). The load
 * balancer keeps the URL as the client sent it, so a quotation mark may stand in it. What leads up to the end of the request
 * is therefore found by its blanks, of which a URL has none: nothing that a client sends can shift or forge it. Of what
 * follows, the client chooses some itself.
 */
const HEAD = new RegExp(
  [
    /^\S+ (?<time>\S+) \S+ (?<client>\S+) (?<target>\S+)/,
    / (?<toTarget>-?[\d.]+) (?<inTarget>-?[\d.]+) (?<toClient>-?[\d.]+)/,
    / (?<status>\d{3}|-) (?<targetStatus>\d{3}|-) \S+ (?<sentBytes>\d+)/,
    / "(?<request>\S+ \S+ \S+)" (?<rest>.*)$/,
  ]
    .map(({ source }) => source)
    .join(''),
);

interface Head {
  time: string;
  client: string;
  target: string;
  toTarget: string;
  inTarget: string;
  toClient: string;
  status: string;
  targetStatus: string;
  sentBytes: string;
  request: string;
  rest: string;
}

export interface AccessLogLine {
  /** When it was answered. */
  at: Instant;
  /** See `requestMessage`. */
  message: string;
}

/** `undefined` where it is no line of an access log. */
export function readAccessLogLine(line: string): AccessLogLine | undefined {
  const head = HEAD.exec(line)?.groups as Head | undefined;
  const at = parseInstant(head?.time ?? '');
  if (head === undefined || at === undefined) return undefined;
  const [program = '-', , , , trace = '-', , , , , actions = '-', , reason = '-'] = fieldsOf(head.rest);
  const message = requestMessage({
    client: head.client.replace(/:\d+$/, ''),
    request: head.request,
    status: head.status,
    targetStatus: given(head.targetStatus),
    durationMs: durationOf(head),
    target: given(head.target),
    actions,
    cause: given(reason),
    sentBytes: head.sentBytes,
    program,
    trace,
  });
  return { at, message };
}

function given(field: string): string | undefined {
  return field === '-' ? undefined : field;
}

/** Times are in seconds; -1 stands for one that there was not, as when no target answered. */
function durationOf({ toTarget, inTarget, toClient }: Head): number | undefined {
  const times = [toTarget, inTarget, toClient].map(Number);
  if (times.some(time => !(time >= 0))) return undefined;
  return times.reduce((sum, time) => sum + time, 0) * SECOND_MS;
}

/** Separated by blanks; in quotation marks, of which the last is one with a blank or nothing behind it. */
function fieldsOf(text: string): string[] {
  const fields: string[] = [];
  let start = 0;
  while (start < text.length) {
    const isQuoted = text[start] === '"';
    if (isQuoted) start += 1;
    const end = isQuoted ? closingMark(text, start) : endOfWord(text, start);
    fields.push(text.slice(start, end));
    start = end + (isQuoted ? '" '.length : ' '.length);
  }
  return fields;
}

function closingMark(text: string, start: number): number {
  for (let mark = text.indexOf('"', start); mark >= 0; mark = text.indexOf('"', mark + 1)) {
    if (mark + 1 === text.length || text[mark + 1] === ' ') return mark;
  }
  return text.length;
}

function endOfWord(text: string, start: number): number {
  const blank = text.indexOf(' ', start);
  return blank < 0 ? text.length : blank;
}
