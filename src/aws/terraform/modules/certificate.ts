import { AcmCertificateValidation } from '@cdktn/provider-aws/lib/acm-certificate-validation/index.js';
import { AcmCertificate } from '@cdktn/provider-aws/lib/acm-certificate/index.js';
import { Route53Record } from '@cdktn/provider-aws/lib/route53-record/index.js';
import { Construct } from 'constructs';

export interface CertificateInput {
  hostName: string;
  zoneId: string;
}

/** A certificate that ACM renews by itself, proven by a record in the zone. Returns its ARN once it is valid. */
export function certificate(scope: Construct, id: string, { hostName, zoneId }: CertificateInput): string {
  const here = new Construct(scope, id);
  const requested = new AcmCertificate(here, 'certificate', {
    domainName: hostName,
    validationMethod: 'DNS',
    lifecycle: { createBeforeDestroy: true },
  });
  const option = requested.domainValidationOptions.get(0);
  const record = new Route53Record(here, 'proof', {
    zoneId,
    name: option.resourceRecordName,
    type: option.resourceRecordType,
    records: [option.resourceRecordValue],
    ttl: 300,
    // Every region asks for the same name, and ACM then wants the same record.
    allowOverwrite: true,
  });
  return new AcmCertificateValidation(here, 'validation', {
    certificateArn: requested.arn,
    validationRecordFqdns: [record.fqdn],
  }).certificateArn;
}
