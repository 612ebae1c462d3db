import { AcmCertificateValidation } from '@cdktn/provider-aws/lib/acm-certificate-validation/index.js';
import { AcmCertificate } from '@cdktn/provider-aws/lib/acm-certificate/index.js';
import { Route53Record } from '@cdktn/provider-aws/lib/route53-record/index.js';
import { Construct } from 'constructs';

export interface CertificateInput {
  /** The certificate is for this name and all that are one label below it. */
  hostName: string;
  /**
   * The Route 53 zone to write the proof into. ACM asks for the same record in every region of an account, so only one
   * of them may own it: the others leave this out and wait for it.
   */
  proofZoneId?: string;
}

/** A certificate for a name and `*.name`, which ACM renews by itself. Returns its ARN once it is valid. */
export function certificate(
  scope: Construct,
  id: string,
  { hostName, proofZoneId }: CertificateInput,
): string {
  const here = new Construct(scope, id);
  const requested = new AcmCertificate(here, 'certificate', {
    domainName: hostName,
    subjectAlternativeNames: [`*.${hostName}`],
    validationMethod: 'DNS',
    lifecycle: { createBeforeDestroy: true },
  });
  if (proofZoneId !== undefined) {
    // A name and its wildcard prove themselves by the same record, so the first is all there is.
    const option = requested.domainValidationOptions.get(0);
    new Route53Record(here, 'proof', {
      zoneId: proofZoneId,
      name: option.resourceRecordName,
      type: option.resourceRecordType,
      records: [option.resourceRecordValue],
      ttl: 300,
      // There already where the account has, or had, a certificate for the name by other means.
      allowOverwrite: true,
    });
  }
  return new AcmCertificateValidation(here, 'validation', { certificateArn: requested.arn }).certificateArn;
}
