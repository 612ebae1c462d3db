import {
  ListResourceRecordSetsCommand,
  Route53Client,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { using } from '../using-client.ts';
import { askEach, type FindTaken, type NamedKind } from './named-kind.ts';

/** What Terraform imports a record by, `Z0123_shop.example.com_A_eu-west-1`: no two are the same. */
function recordName({
  zone_id: zone,
  name,
  type,
  set_identifier: set,
  allow_overwrite: mayOverwrite,
}: Readonly<Record<string, unknown>>): string | undefined {
  const parts = [zone, name, type, ...(typeof set === 'string' && set !== '' ? [set] : [])];
  return mayOverwrite !== true && parts.every(part => typeof part === 'string') ? parts.join('_') : undefined;
}

const PARTS = /^([^_]+)_(.+?)_([A-Z]+)(?:_(.+))?$/;

/**
 * A name has one record of each type, or several that their set identifiers tell apart, and a CNAME stands alone (Route 53
 * API reference, ChangeResourceRecordSets).
 */
const records: FindTaken = (settings, names) =>
  using(new Route53Client(settings), client =>
    askEach(names, async wanted => {
      const [, zone = '', name = '', type = '', set] = PARTS.exec(wanted)!;
      const { ResourceRecordSets = [] } = await client.send(
        new ListResourceRecordSetsCommand({ HostedZoneId: zone, StartRecordName: name }),
      );
      const excludes = ({ Name, Type, SetIdentifier }: ResourceRecordSet) =>
        Name === `${name}.` &&
        (Type === type
          ? SetIdentifier === set || SetIdentifier === undefined || set === undefined
          : Type === 'CNAME');
      const other = ResourceRecordSets.find(excludes);
      return other ? takenBy(other, zone, name) : false;
    }),
  );

function takenBy({ Type, SetIdentifier }: ResourceRecordSet, zone: string, name: string) {
  return {
    importId: [zone, name, Type, ...(SetIdentifier === undefined ? [] : [SetIdentifier])].join('_'),
    command: `route53 list-resource-record-sets --hosted-zone-id ${zone} --start-record-name ${name} --max-items 1`,
  };
}

export const DNS_RECORD: NamedKind = { title: 'DNS record', name: recordName, findTaken: records };
