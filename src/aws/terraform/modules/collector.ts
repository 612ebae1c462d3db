import { Construct } from 'constructs';
import { COLLECTOR } from '../../../model/config/collector.ts';
import type { PolicyStatement } from '../policy.ts';
import { logGroup } from './log-group.ts';

export interface CollectorInput {
  region: string;
  /** As the service is called in traces. */
  serviceName: string;
  /** The application's own metrics appear in CloudWatch under it. */
  metricsNamespace: string;
  metricsLogGroupName: string;
  logRetentionDays: number;
  /** Of requests, how many are traced. */
  tracePercent: number;
  /** A copy of the collector's public image. */
  image?: string;
}

export interface CollectorOutput {
  /** What the application's OpenTelemetry libraries read. */
  variables: Record<string, string>;
  /** For the role of the tasks. */
  statements: PolicyStatement[];
  /** The container, as a task definition has it, without its log configuration. */
  container: { name: string; image: string } & Record<string, unknown>;
}

/** The public one; of all processors. */
export const COLLECTOR_IMAGE = 'public.ecr.aws/aws-observability/aws-otel-collector:v0.35.0';

/**
 * An OpenTelemetry collector beside the application in every task: traces go to X-Ray, metrics to CloudWatch. The
 * application speaks OTLP to it and knows nothing of AWS; where the collector fails, the application runs on.
 */
export function collector(scope: Construct, id: string, input: CollectorInput): CollectorOutput {
  const here = new Construct(scope, id);
  const metrics = logGroup(here, 'metrics', {
    name: input.metricsLogGroupName,
    retentionDays: input.logRetentionDays,
  });
  return {
    variables: {
      OTEL_SERVICE_NAME: input.serviceName,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://localhost:${COLLECTOR.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      // W3C's headers, and the one that load balancers add.
      OTEL_PROPAGATORS: 'tracecontext,baggage,xray',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: String(input.tracePercent / 100),
    },
    statements: [
      // They know no resource (service authorization reference, AWS X-Ray).
      { Sid: 'Trace', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' },
      {
        Sid: 'Measure',
        Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        Resource: [metrics.arn, `${metrics.arn}:*`],
      },
    ],
    container: {
      name: COLLECTOR.container,
      image: input.image ?? COLLECTOR_IMAGE,
      essential: false,
      environment: [{ name: 'AOT_CONFIG_CONTENT', value: configuration(input, metrics.name) }],
    },
  };
}

/** JSON is YAML, which the collector reads. */
function configuration({ region, metricsNamespace }: CollectorInput, metricsLogGroupName: string): string {
  return JSON.stringify({
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${COLLECTOR.port}` } } } },
    processors: { batch: {} },
    exporters: {
      awsxray: { region },
      awsemf: {
        region,
        namespace: metricsNamespace,
        log_group_name: metricsLogGroupName,
        dimension_rollup_option: 'NoDimensionRollup',
      },
    },
    service: {
      pipelines: {
        traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['awsxray'] },
        metrics: { receivers: ['otlp'], processors: ['batch'], exporters: ['awsemf'] },
      },
    },
  });
}
