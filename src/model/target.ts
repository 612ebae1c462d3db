/** ALB target states (`TargetHealthStateEnum`); `unhealthy.draining` is for NLB only and left out. */
type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining' | 'unavailable';

/** ALB reason codes for a target that is not healthy. */
type TargetReason =
  | 'Elb.RegistrationInProgress'
  | 'Elb.InitialHealthChecking'
  | 'Elb.InternalError'
  | 'Target.ResponseCodeMismatch'
  | 'Target.Timeout'
  | 'Target.FailedHealthChecks'
  | 'Target.NotRegistered'
  | 'Target.NotInUse'
  | 'Target.InvalidState'
  | 'Target.DeregistrationInProgress'
  | 'Target.HealthCheckDisabled';

export interface TargetHealth {
  state: TargetState;
  reason?: TargetReason;
  /** `Health checks failed with these codes: [503]`, as ALB words it. */
  description?: string;
}
