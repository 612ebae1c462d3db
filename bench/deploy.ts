/*
 * `tandem deploy` of the default configuration against moto, with real Terraform and the real provider: each region alone,
 * then both at once, each into an account of its own. Needs what test/aws needs. Run: npm run bench:deploy
 */
import { openEmulatedAccount } from '../test/aws/emulated-account.ts';
import { findTools } from '../test/aws/terraform.ts';
import { timed } from './example-cloud.ts';

const REGIONS = ['us-east-1', 'us-west-2'] as const;

const tools = findTools();
if ('missing' in tools) throw new Error(`there is no ${tools.missing}`);

const alone: number[] = [];
for (const region of REGIONS) alone.push(await measure([region]));
const together = await measure(REGIONS);
print('both regions at once', together);
console.log(`times the slower region alone: ${(together / Math.max(...alone)).toFixed(2)}`);
console.log(`times the sum of both: ${(together / (alone[0]! + alone[1]!)).toFixed(2)}`);

/** Milliseconds of the deployment alone, planning included. */
async function measure(regions: readonly (typeof REGIONS)[number][]): Promise<number> {
  if ('missing' in tools) throw new Error(tools.missing);
  await using account = await openEmulatedAccount(
    { application: 'storefront', regions: [...regions] },
    tools,
  );
  await succeed(account.tandem(['bootstrap']));
  const ms = await timed(() => succeed(account.tandem(['deploy', '--yes'])));
  if (regions.length === 1) print(`${regions[0]} alone`, ms);
  return ms;
}

async function succeed(run: Promise<{ exitCode: number; stderr: string }>): Promise<void> {
  const { exitCode, stderr } = await run;
  if (exitCode !== 0) throw new Error(stderr);
}

function print(what: string, ms: number): void {
  console.log(`${what.padEnd(24)} ${(ms / 1000).toFixed(0).padStart(5)} s`);
}
