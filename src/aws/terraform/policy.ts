/** One statement of a policy document, in IAM's own words. */
export interface PolicyStatement {
  Sid: string;
  Effect?: 'Allow' | 'Deny';
  Principal?: '*' | { Service: string } | { AWS: string };
  Action: string | readonly string[];
  /** ARNs. `*` only where the action knows no resource, or in a resource's own policy. */
  Resource?: string | readonly string[];
  /** Every resource but these; only to deny. */
  NotResource?: string | readonly string[];
  Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export function policyDocument(statements: readonly PolicyStatement[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(statement => ({ Effect: 'Allow', ...statement })),
  });
}

/**
 * They take a role only from who may pass it, in the role's own account, and name no source account when they assume it
 * (of Region switch nothing says that it does).
 */
const WITHOUT_SOURCE_ACCOUNT = ['lambda.amazonaws.com', 'arc-region-switch.amazonaws.com'];

/** Who may assume a role: one AWS service, acting for this account only (AWS: "The confused deputy problem"). */
export function trustPolicy(service: string, accountId: string): string {
  return policyDocument([
    {
      Sid: 'Assume',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
      ...(!WITHOUT_SOURCE_ACCOUNT.includes(service) && {
        Condition: { StringEquals: { 'aws:SourceAccount': accountId } },
      }),
    },
  ]);
}
