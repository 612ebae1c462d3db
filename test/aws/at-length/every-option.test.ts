import { afterAll, describe, expect, test } from 'vitest';
import { CONFIGURATIONS } from '../configurations.ts';
import { differences } from '../differences.ts';
import { openEmulatedAccount } from '../emulated-account.ts';
import { findTools, type Tools } from '../terraform.ts';

/* The same way as in journeys/, for three regions with every option, some 900 resources: a quarter of an hour or more. */

const tools = findTools();
const isMissing = 'missing' in tools;
if (isMissing) console.log(`Nothing is deployed to moto: there is no ${tools.missing}.`);

describe.skipIf(isMissing)('three regions with every option', { timeout: 5_400_000 }, () => {
  let corrected: ReadonlySet<string> = new Set();

  afterAll(() => console.log(differences(corrected)));

  test('are made, found as they were made, and deleted until nothing is left', async () => {
    await using account = await openEmulatedAccount({ application: 'storefront' }, tools as Tools);
    const { tandem, moto } = account;
    corrected = moto.corrected;
    const zoneId = await createZone(moto.endpoint, 'example.com');
    await account.configure({
      ...CONFIGURATIONS.everything,
      domain: { name: 'shop.example.com', zoneId },
    });

    expect((await tandem(['bootstrap'])).exitCode).toBe(0);

    const deployed = await tandem(['deploy', '--yes']);
    expect(deployed.stderr).not.toContain('error[');
    expect(deployed.stdout).toContain('https://shop.example.com');
    expect(deployed.exitCode).toBe(0);

    const again = await tandem(['plan']);
    expect(again.stdout).toBe('nothing to change: everything is as the configuration says\n');

    const destroyed = await tandem(['destroy', '--target', 'aws', '--yes']);
    expect(destroyed.stderr).not.toContain('error[');
    expect(destroyed.stdout).toBe('deleted: AWS knows nothing of it any more, in any region\n');
    expect(destroyed.exitCode).toBe(0);

    expect([...moto.unknown], 'calls that moto failed at').toEqual([]);
  });
});

/** A public zone, as people have one before they use Tandem. Returns its id. */
async function createZone(endpoint: string, name: string): Promise<string> {
  const answer = await fetch(`${endpoint}/2013-04-01/hostedzone`, {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=emulated/20260101/us-east-1/route53/aws4_request',
      'content-type': 'text/xml',
    },
    body: `<CreateHostedZoneRequest><Name>${name}</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`,
  });
  const [, id] = /<Id>\/hostedzone\/(\w+)<\/Id>/.exec(await answer.text()) ?? [];
  if (id === undefined) throw new Error('moto has made no zone');
  return id;
}
