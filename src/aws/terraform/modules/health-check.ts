import { Route53HealthCheck } from '@cdktn/provider-aws/lib/route53-health-check/index.js';
import type { Construct } from 'constructs';

export interface HealthCheckInput {
  /** As it is called in the console. */
  name: string;
  hostName: string;
  path: string;
  intervalSeconds: 10 | 30;
  /** Checks in a row that turn its opinion, either way. */
  failureThreshold: number;
  tags: Readonly<Record<string, string>>;
}

/** Asks a host name over HTTPS from all over the world whether it is well. Returns the id of the check. */
export function healthCheck(scope: Construct, id: string, input: HealthCheckInput): string {
  return new Route53HealthCheck(scope, id, {
    type: 'HTTPS',
    fqdn: input.hostName,
    port: 443,
    enableSni: true,
    resourcePath: input.path,
    requestInterval: input.intervalSeconds,
    failureThreshold: input.failureThreshold,
    tags: { ...input.tags, Name: input.name },
  }).id;
}
