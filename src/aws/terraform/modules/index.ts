/*
 * What `import … from 'tandem/modules'` gives: every module by itself, for Terraform that Tandem does not write. Each is
 * a function of a scope, an id and a typed input; it makes resources there and returns what others need of them.
 */
import { autoscaling } from './autoscaling.ts';
import { auditTrail } from './audit-trail.ts';
import { dashboard } from './dashboard.ts';
import { database as relationalDatabase } from './database.ts';
import { ecsCluster } from './ecs-cluster.ts';
import { ecsService } from './ecs-service.ts';
import { ecsTaskDefinition } from './ecs-task-definition.ts';
import { eventNotification } from './event-notification.ts';
import { globalDatabase, globalTable } from './global-database.ts';
import { healthCheck, healthCheckAlarm } from './health-check.ts';
import { loadBalancer } from './load-balancer.ts';
import { logQueries } from './log-queries.ts';
import { notifications } from './notifications.ts';
import { rotationFunction } from './rotation-function.ts';
import { signingKey } from './signing-key.ts';
import { secret, secretReference, secretRotation } from './secrets.ts';
import { alarmName, serviceAlarms } from './service-alarms.ts';

export { Stack, type StackInput, type StateLocation, type TerraformDocument } from '../stack.ts';

export { backend } from './backend.ts';
export { budget } from './budget.ts';
export { certificate } from './certificate.ts';
export { codebuildProject } from './codebuild-project.ts';
export { codecommit } from './codecommit.ts';
export { codeconnection } from './codeconnection.ts';
export { codepipeline } from './codepipeline.ts';
export { compliance } from './compliance.ts';
export { dns, regionRecord } from './dns.ts';
export { driftCheck } from './drift-check.ts';
export { ecr } from './ecr.ts';
export { imageSupply } from './image-supply.ts';
export { logGroup } from './log-group.ts';
export { privateBucket } from './private-bucket.ts';
export { regionSwitch } from './region-switch.ts';
export { remediation } from './remediation.ts';
export { replication } from './replication.ts';
export { serviceRole } from './service-role.ts';
export { vpc } from './vpc.ts';
export { waf } from './waf.ts';
export { auditTrail, signingKey };

/** `service` makes the other three but the cluster, and can be all that is needed. */
export const ecs = {
  cluster: ecsCluster,
  taskDefinition: ecsTaskDefinition,
  loadBalancer,
  service: ecsService,
  autoscaling,
};

export const monitoring = {
  notifications,
  serviceAlarms,
  alarmName,
  eventNotification,
  dashboard,
  healthCheck,
  healthCheckAlarm,
  logQueries,
};

/** `rotationFunction` makes what renews secrets; `rotation` says when it renews which. */
export const secrets = { secret, rotationFunction, rotation: secretRotation, reference: secretReference };

/** `globalDatabase` is what ties Aurora databases of several regions together. */
export const database = { relational: relationalDatabase, globalDatabase, globalTable };
