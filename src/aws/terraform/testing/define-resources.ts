import { Stack } from '../stack.ts';

type Resource = Record<string, unknown>;

/** The resources that modules make in a stack of their own, by type and name, as Terraform would read them. */
export function resourcesOf(define: (stack: Stack) => void): Record<string, Record<string, Resource>> {
  const stack = new Stack({
    name: 'module',
    region: 'us-east-1',
    state: { kind: 'local' },
    tags: {},
    accountId: '123456789012',
  });
  define(stack);
  return stack.document().resource ?? {};
}
