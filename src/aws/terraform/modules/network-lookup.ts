import { DataAwsSubnet } from '@cdktn/provider-aws/lib/data-aws-subnet/index.js';
import { DataAwsVpc } from '@cdktn/provider-aws/lib/data-aws-vpc/index.js';
import { Construct } from 'constructs';
import { subnetName, ZONES } from './vpc.ts';

export interface NetworkLookupOutput {
  id: string;
  publicSubnetIds: string[];
  privateSubnetIds: string[];
}

/** The network that `vpc` made under a name, found by its tags: for who may not read the state that holds it. */
export function networkLookup(
  scope: Construct,
  id: string,
  { name, ownerId }: { name: string; ownerId: string },
): NetworkLookupOutput {
  const here = new Construct(scope, id);
  const tagged = (value: string) => ({ filter: [{ name: 'tag:Name', values: [value] }] });
  const network = new DataAwsVpc(here, 'vpc', {
    filter: [
      { name: 'tag:Name', values: [name] },
      // A network that another account shares may bear any name.
      { name: 'owner-id', values: [ownerId] },
    ],
  });
  const subnets = (kind: 'public' | 'private') =>
    ZONES.map(
      zone =>
        new DataAwsSubnet(here, `${kind}-${zone}`, {
          vpcId: network.id,
          ...tagged(subnetName(name, kind, zone)),
        }).id,
    );
  return { id: network.id, publicSubnetIds: subnets('public'), privateSubnetIds: subnets('private') };
}
