/** What every AWS resource's name begins with, and how long that may be. */

/**
 * The tightest name of all is a load balancer's, 32 characters, and must hold `-production`. Names are built from the
 * prefix in `aws/terraform/names.ts`, whose test proves this number.
 */
export const LONGEST_NAME_PREFIX = 21;

/** How load balancers, security groups and buckets must not begin (provider documentation; Amazon S3 bucket naming rules). */
const RESERVED = ['internal-', 'sg-', 'sthree-', 'amzn-s3-demo-'];

const OWN_ORGANISATION = 'internal';

interface NamedConfig {
  application: string;
  customer: string;
  aws: { namePrefix: string };
}

/** `aws.namePrefix` where it is set; else the customer and the application, or for one's own just the application. */
export function namePrefix(config: NamedConfig): string {
  if (config.aws.namePrefix !== '') return config.aws.namePrefix;
  return config.customer === OWN_ORGANISATION
    ? config.application
    : `${config.customer}-${config.application}`;
}

/** Names that AWS would refuse once they begin with this prefix. */
export function namePrefixFaults(config: NamedConfig): { path: string[]; input: string; message: string }[] {
  const prefix = namePrefix(config);
  const fault = (message: string) => [{ path: ['aws', 'namePrefix'], input: config.aws.namePrefix, message }];
  if (prefix.length > LONGEST_NAME_PREFIX) {
    return fault(
      `a shorter name than ${prefix}: load balancers' names leave ${LONGEST_NAME_PREFIX} characters, ` +
        `and these are ${prefix.length}`,
    );
  }
  return isReservedStart(prefix)
    ? fault(`a name that does not begin with ${RESERVED.join(' or ')}, as ${prefix}- does`)
    : [];
}

/** Whether names that begin with this prefix are reserved. */
export function isReservedStart(prefix: string): boolean {
  return RESERVED.some(start => `${prefix}-`.startsWith(start));
}
