import { afterAll, describe, expect, test } from 'vitest';
import { CONFIGURATIONS } from '../configurations.ts';
import { differences } from '../differences.ts';
import { openEmulatedAccount } from '../emulated-account.ts';
import { findTools, type Tools } from '../terraform.ts';

/*
 * The command line on AWS as people use it: real Terraform, the real provider, states in S3, and moto in AWS's place.
 * The provider waits as long as AWS would take, which is most of the time.
 */

const tools = findTools();
const isMissing = 'missing' in tools;
if (isMissing) console.log(`Nothing is deployed to moto: there is no ${tools.missing}.`);

describe.skipIf(isMissing)('two regions of the default configuration', { timeout: 1_800_000 }, () => {
  let corrected: ReadonlySet<string> = new Set();

  afterAll(() => console.log(differences(corrected)));

  test('are made once nothing is in their way, and deleted until nothing is left, interrupted or not', async () => {
    await using account = await openEmulatedAccount(CONFIGURATIONS.defaults, tools as Tools);
    const { tandem, moto } = account;
    corrected = moto.corrected;

    expect((await tandem(['bootstrap'])).stdout).toMatch(/us-east-1 .* made\nus-west-2 .* made\n/);

    moto.refuse(({ region, target }) => region === 'us-west-2' && target.endsWith('.CreateCluster'));
    const refused = await tandem(['deploy', '--yes']);
    expect(refused.stderr).toContain(
      'us-west-2-production: terraform apply failed: aws_ecs_cluster.cluster:',
    );
    expect(refused.stderr).toContain('AccessDeniedException: with an explicit deny');
    expect(refused.stderr).toMatch(
      /6 of 8 stacks are done and stay\..*:\n +tandem deploy --region us-west-2\n$/,
    );
    expect(refused.stdout).toMatch(/us-east-1-production +http:/);
    expect(refused.stdout).not.toContain('us-west-2-production');
    expect(refused.exitCode).toBe(1);

    moto.refuse(() => false);
    const deployed = await tandem(['deploy', '--yes', '--region', 'us-west-2']);
    expect(deployed.stderr).not.toContain('error[');
    expect(deployed.stdout).toMatch(/us-west-2-production +http:/);
    expect(deployed.exitCode).toBe(0);

    const again = await tandem(['plan']);
    expect(again.stdout).toBe('nothing to change: everything is as the configuration says\n');

    const interrupted = await tandem(['destroy', '--target', 'aws', '--yes'], {
      onInterrupt(press) {
        moto.watch(({ target }) => {
          if (!target.endsWith('.DeleteCluster')) return;
          moto.watch(() => undefined);
          press();
        });
        return () => undefined;
      },
    });
    expect(interrupted.stderr).toContain('stopping: what AWS has answered is recorded first');
    expect(interrupted.stderr).toContain('error[OPERATION_INTERRUPTED]');
    expect(interrupted.stdout).toBe('');
    expect(interrupted.exitCode).toBe(1);

    const destroyed = await tandem(['destroy', '--target', 'aws', '--yes']);
    expect(destroyed.stderr).not.toContain('error[');
    expect(destroyed.stdout).toBe('deleted: AWS knows nothing of it any more, in any region\n');
    expect(destroyed.exitCode).toBe(0);

    expect([...moto.unknown], 'calls that moto failed at').toEqual([]);
  });
});
