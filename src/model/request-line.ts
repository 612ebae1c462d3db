/**
 * A request at a load balancer, once it has ended; with the words of an Application Load Balancer's access log ("Access logs
 * for your Application Load Balancer", Syntax). What a client chose stands in it as the load balancer keeps it.
 */
export interface EndedRequest {
  /** The client's address, without its port. */
  client: string;
  /** `GET http://example.com:80/path HTTP/1.1`; of one that could not be read, `- http://example.com:80- -`. */
  request: string;
  status: number | string;
  /** The target's answer; `undefined` where none gave one. */
  targetStatus: number | string | undefined;
  /** Until the answer began; `undefined` where it was no target's. */
  durationMs: number | undefined;
  /** `10.0.0.1:80`; `undefined` where it was given to none. */
  target: string | undefined;
  /** What the load balancer did itself: `forward`, `waf`; `-` for nothing. */
  actions: string;
  /** Why it failed, where the load balancer says so. */
  cause: string | undefined;
  sentBytes: number | string;
  /** The client's User-Agent, or `-`. */
  program: string;
  /** X-Amzn-Trace-Id, or `-`. */
  trace: string;
}

/** Who asked for what, the answer, how long it took, who gave it, its size, the client's program, the trace. */
export function requestMessage(ended: EndedRequest): string {
  const { status, targetStatus, durationMs, target, cause } = ended;
  const other = targetStatus === undefined || targetStatus === status ? '' : ` (the target: ${targetStatus})`;
  const duration = durationMs === undefined ? '' : ` in ${Math.round(durationMs)} ms`;
  const giver = target ?? `the load balancer (${ended.actions})`;
  return (
    `${ended.client} "${ended.request}" ${status}${other}${duration} by ${giver}` +
    `${cause === undefined ? '' : ` because of ${cause}`}, ${ended.sentBytes} bytes, "${ended.program}", ${ended.trace}`
  );
}
