import { errorMessage } from '../../core/error.ts';
import type { StackOutcome, WorkFolder } from '../../model/infrastructure.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { AwsApplication, TerraformOptions } from './application.ts';

/**
 * Leaves what was applied where each region's scheduled check compares with it. Where that fails the deployment stands all
 * the same, but the check would go by the one before.
 */
export async function keepDeployed(
  context: CommandContext,
  { config, identity }: AwsApplication,
  { program }: WorkFolder,
  { localState }: TerraformOptions,
  applied: readonly StackOutcome<unknown>[],
): Promise<ExitCode> {
  if (config.drift.check === 'never' || localState) return EXIT.done;
  if (program.name.startsWith('tofu')) {
    context.note(
      `the scheduled drift check works with Terraform, and this is ${program.name}: look with tandem drift, and set drift.check to 'never'`,
    );
    return EXIT.done;
  }
  const kept = await Promise.all(
    applied
      .filter(({ state }) => state === 'done')
      .map(async ({ stack }) => {
        try {
          await context.aws.keepDeployed(stack, identity.accountId);
          return EXIT.done;
        } catch (error) {
          context.note(
            `${stack.name} is applied, but the scheduled drift check goes on comparing with the deployment before: ` +
              `${errorMessage(error)}. Say tandem deploy again`,
          );
          return EXIT.failed;
        }
      }),
  );
  return kept.includes(EXIT.failed) ? EXIT.failed : EXIT.done;
}
