/** What every AWS resource's name begins with, and how long that may be. */

/**
 * The tightest name of all is a load balancer's, 32 characters, and must hold `-production`. Names are built from the
 * prefix in `aws/terraform/names.ts`, whose test proves this number.
 */
export const LONGEST_NAME_PREFIX = 21;

const OWN_ORGANISATION = 'internal';

/** `aws.namePrefix` where it is set; else the customer and the application, or for one's own just the application. */
export function namePrefix(config: {
  application: string;
  customer: string;
  aws: { namePrefix: string };
}): string {
  if (config.aws.namePrefix !== '') return config.aws.namePrefix;
  return config.customer === OWN_ORGANISATION
    ? config.application
    : `${config.customer}-${config.application}`;
}
