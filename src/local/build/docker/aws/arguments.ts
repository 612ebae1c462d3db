/** An `aws` command line, taken apart as far as the calls served here need it. */
export interface AwsCall {
  /** `ecr`. */
  service: string;
  /** `get-login-password`. */
  operation: string;
  /** Option values by name without dashes; a switch has none, a list several. */
  options: ReadonlyMap<string, readonly string[]>;
}

const GLOBAL_SWITCHES: ReadonlySet<string> = new Set([
  'debug',
  'no-verify-ssl',
  'no-paginate',
  'no-sign-request',
  'no-cli-pager',
  'cli-auto-prompt',
  'no-cli-auto-prompt',
  'include-email',
  'no-include-email',
]);

/** Options may stand anywhere; the first two words that belong to none are service and operation. */
export function parseAwsCall(argv: readonly string[]): AwsCall {
  const words: string[] = [];
  const options = new Map<string, string[]>();
  let current: string | undefined;
  for (const argument of argv) {
    if (argument.startsWith('--')) {
      const equals = argument.indexOf('=');
      current = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
      options.set(current, equals < 0 ? [] : [argument.slice(equals + 1)]);
      if (equals >= 0 || GLOBAL_SWITCHES.has(current)) current = undefined;
    } else if (current !== undefined && (options.get(current)!.length === 0 || words.length >= 2)) {
      options.get(current)!.push(argument);
    } else {
      words.push(argument);
    }
  }
  return { service: words[0] ?? '', operation: words[1] ?? '', options };
}
